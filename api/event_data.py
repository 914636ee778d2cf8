"""Data of server-sent events."""

from typing import Any

from pydantic_core import to_json


def as_data(value: Any) -> str:
    """JSON, all of it in ASCII: to who frames events, every separator of lines that Unicode has ends a line, also
    within a string of JSON."""
    return to_json(value, ensure_ascii=True).decode()
