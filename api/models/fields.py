"""Fields and bodies that requests share. A body is taken as JSON says it: a number is no truth, a text no number."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

# Postgres takes no NUL. As patterns, so that the description says it too.
_NO_NUL: Final = r"^[^\x00]*$"
_SAYS_SOMETHING: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
_DATED: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")

LONGEST: Final = 2000
"""Letters of a comment, or of a message before a question."""


def _sendable(text: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be valid Unicode")
    return text


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _dated(value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and _DATED.match(value)):
        raise ValueError("must be a date and time as in RFC 3339")
    return value


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=_SAYS_SOMETHING),
    AfterValidator(_sendable),
]
LongText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST, pattern=_SAYS_SOMETHING),
    AfterValidator(_sendable),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_NUL), AfterValidator(_sendable)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=_NO_NUL), AfterValidator(_sendable)]
# Not strict, because 5.0 is a whole number in JSON.
Limit = Annotated[int, Field(strict=False, ge=1, le=50, description="most results"), BeforeValidator(_number)]
Namespace = Annotated[int, Field(strict=False, ge=-2, le=2**31 - 1), BeforeValidator(_number)]
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_dated)]


class Asked(BaseModel):
    """A request's body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", strict=True)
