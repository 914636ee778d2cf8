"""Fields and bodies that requests share."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

LONGEST: Final = 2000
"""Letters of a comment, or of a message before a question."""


def _sendable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold NUL characters")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be valid Unicode")
    return text


Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(_sendable)
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST), AfterValidator(_sendable)
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_sendable)]
Limit = Annotated[int, Field(ge=1, le=50, description="most results")]


class Asked(BaseModel):
    """A request's body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")
