"""What somebody says of an answer."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.fields import Asked, LongText


class FeedbackIn(Asked):
    """A thumb, and words if there are any."""

    answer_id: UUID
    rating: Literal["up", "down"]
    comment: LongText | None = Field(default=None, examples=["The second edit is about another bridge."])


class FeedbackOut(BaseModel):
    """Kept."""

    feedback_id: int
