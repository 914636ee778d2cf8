"""For whoever runs it."""

from typing import Literal

from pydantic import BaseModel


class ReadyOut(BaseModel):
    """The state of each dependency."""

    status: Literal["ready"] = "ready"
    dependencies: dict[str, str]
