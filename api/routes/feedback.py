"""`POST /v1/feedback`."""

from fastapi import APIRouter, HTTPException

from api import problems
from api.models.feedback import FeedbackIn, FeedbackOut
from api.services import Provided
from freshet.store import answers
from freshet.telemetry import metrics

router = APIRouter(prefix="/v1", tags=["feedback"])


@router.post("/feedback", status_code=201, responses=problems.NOT_FOUND)
async def feedback(given: FeedbackIn, services: Provided) -> FeedbackOut:
    """Say what an answer was worth. It may be said more than once."""
    async with services.pool.connection() as connection:
        feedback_id = await answers.add_feedback(connection, given.answer_id, given.rating, given.comment)
    if feedback_id is None:
        raise HTTPException(404, "There is no answer with this id.")
    metrics.FEEDBACK.labels(given.rating).inc()
    return FeedbackOut(feedback_id=feedback_id)
