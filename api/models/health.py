"""For whoever runs it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ReadyOut(BaseModel):
    """The state of each dependency: ok, or what it lacks. Only Postgres decides."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "ready", "dependencies": {"postgres": "ok", "embedding": "ok", "kafka": "does not answer"}}
            ]
        }
    )

    status: Literal["ready"] = "ready"
    dependencies: dict[str, str]
