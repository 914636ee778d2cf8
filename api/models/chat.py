"""OpenAI's chat completions, as much of them as an answer with citations needs."""

from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from api.models.answers import REMEMBERED, Answerer, AskIn, Citation, Outcome, SearchedOut
from api.models.examples import COMPLETION
from api.models.fields import LONGEST
from api.models.search import Newest

MODEL: Final = "freshet"


class Part(BaseModel):
    """A part of a message: text is all that is understood."""

    type: Literal["text"]
    text: str


class MessageIn(BaseModel):
    """One message. Those of the system and of tools are not read."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content).strip()
        return (self.content or "").strip()


class StreamOptions(BaseModel):
    """How a stream ends."""

    include_usage: StrictBool = False


class ChatIn(BaseModel):
    """A chat whose last user message is the question. Whatever else the protocol knows is accepted and ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": MODEL, "messages": [{"role": "user", "content": "What changes about glaciers?"}]}]
        }
    )

    model: str
    messages: list[MessageIn] = Field(
        min_length=1,
        max_length=500,
        json_schema_extra={"contains": {"properties": {"role": {"const": "user"}}, "required": ["role"]}},
    )
    stream: StrictBool = False
    stream_options: StreamOptions | None = None

    @field_validator("messages")
    @classmethod
    def _asks(cls, messages: list[MessageIn]) -> list[MessageIn]:
        if not any(message.role == "user" for message in messages):
            raise ValueError("must hold a message of the user")
        return messages

    def asked(self) -> AskIn:
        """The question after the conversation. Raises pydantic.ValidationError when it cannot be asked."""
        last = max(at for at, message in enumerate(self.messages) if message.role == "user")
        said = [message for message in self.messages[:last] if message.role in ("user", "assistant") and message.text]
        turns = [{"role": message.role, "content": message.text[:LONGEST]} for message in said[-REMEMBERED:]]
        return AskIn.model_validate({"question": self.messages[last].text, "conversation": turns})


class UrlCitation(BaseModel):
    """A link in the content; indices are of characters, the end is exclusive."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(BaseModel):
    """OpenAI's form of a citation."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class MessageOut(BaseModel):
    """The answer as Markdown, whose only links are the marks of its citations."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one choice."""

    index: Literal[0] = 0
    message: MessageOut
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class UsageOut(BaseModel):
    """Tokens of the model that wrote the answer; zeros when none did, or it does not tell."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Grounds(BaseModel):
    """What chat completions have no field for."""

    answer_id: UUID
    outcome: Outcome
    answerer: Answerer
    citations: list[Citation]
    searched: SearchedOut
    freshness: Newest
    degraded: dict[str, str]


class Completion(BaseModel):
    """A chat completion, and what it is grounded on."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPLETION]})

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: UsageOut
    freshet: Grounds


class ModelOut(BaseModel):
    """A model that can be asked."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["freshet"] = "freshet"


class ModelsOut(BaseModel):
    """All of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "freshet"}]}
            ]
        }
    )

    object: Literal["list"] = "list"
    data: list[ModelOut]
