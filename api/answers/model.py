"""What the answerer knows of a model: what it is asked, what it gives, and how it fails."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol, TypedDict

from freshet.errors import TransientError


class Message(TypedDict):
    """One message of a request."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Tokens:
    """How many were read and written."""

    input: int
    output: int


class Failure(StrEnum):
    """Why a model gave no answer; the value is the metric's label."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    LIMITED = "limited"
    DENIED = "denied"
    ERROR = "error"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"


_SAID: Final[Mapping[Failure, str]] = {
    Failure.TIMEOUT: "the model did not answer in time",
    Failure.UNREACHABLE: "the model could not be reached, or broke off",
    Failure.LIMITED: "the model takes no more questions for now",
    Failure.DENIED: "the model does not accept the key",
    Failure.ERROR: "the model failed",
    Failure.REFUSED: "the model refused to answer",
    Failure.TRUNCATED: "the model's answer was longer than it may be",
    Failure.MALFORMED: "the model's answer could not be read",
}


class ModelError(TransientError):
    """There is no answer of the model. The text says why with nothing of the inside in it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(_SAID[failure])
        self.failure = failure

    @property
    def cause(self) -> dict[str, object]:
        """What a log may say: no message, for servers repeat in them the key that they refuse, or the question."""
        cause = self.__cause__
        told = {name: getattr(cause, name, None) for name in ("status_code", "code", "param")}
        return {"error": type(cause).__name__, **{name: value for name, value in told.items() if value is not None}}


class Model(Protocol):
    """A model that writes JSON by the schema that the prompt names."""

    @property
    def name(self) -> str:
        """As its server knows it."""

    def stream(self, messages: list[Message]) -> AsyncGenerator[str | Tokens]:
        """The answer in pieces, and what it took where the server tells. Raises ModelError."""

    def whole(self, messages: list[Message]) -> AsyncGenerator[str | Tokens]:
        """The same in one piece."""
