"""The live feed: what a listener wants."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.models.fields import Asked, Name


class FeedIn(Asked):
    """What a listener wants of the feed; a filter that is not given narrows nothing."""

    # a query is text, also where it means a number
    model_config = ConfigDict(strict=False)

    wiki: list[Name] = Field(default=[], max_length=50, examples=[["enwiki"]])
    language: list[Name] = Field(default=[], max_length=50)
    type: list[Name] = Field(default=[], max_length=50, examples=[["edit", "new"]])
    user_kind: list[Literal["registered", "temporary", "ip", "bot"]] = Field(default=[], max_length=4)
    namespace: list[Annotated[int, Field(ge=-2, le=2**31 - 1)]] = Field(default=[], max_length=50)
    minor: bool | None = None
    recent: int = Field(default=0, ge=0, le=500, description="newest events to begin with")
