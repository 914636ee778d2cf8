"""What somebody says of an answer."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.examples import ANSWER_ID
from api.models.fields import Asked, LongText


class FeedbackIn(Asked):
    """A thumb, and words if there are any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"answer_id": ANSWER_ID, "rating": "down", "comment": "The second edit is about another bridge."}
            ]
        }
    )

    answer_id: UUID = Field(strict=False, examples=[ANSWER_ID])
    rating: Literal["up", "down"]
    comment: LongText | None = Field(default=None, examples=["The second edit is about another bridge."])


class FeedbackOut(BaseModel):
    """Kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"feedback_id": 17}]})

    feedback_id: int
