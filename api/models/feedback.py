"""What somebody says of an answer."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.fields import Asked, LongText


class FeedbackIn(Asked):
    """A thumb, and words if there are any."""

    answer_id: UUID = Field(examples=["7f0c1f5e-0a53-4a6d-9c3b-0f4f4f0f7d11"])
    rating: Literal["up", "down"]
    comment: LongText | None = Field(default=None, examples=["The second edit is about another bridge."])


class FeedbackOut(BaseModel):
    """Kept."""

    feedback_id: int
