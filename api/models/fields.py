"""Fields and bodies that requests share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def sendable(text: str) -> str:
    """The text, if Postgres and JSON can both hold it. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("must not hold NUL characters")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be valid Unicode")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(sendable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(sendable)]
Limit = Annotated[int, Field(ge=1, le=50, description="most results")]


class Asked(BaseModel):
    """A request's body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")
