"""What a model is asked: the instructions, the conversation, the edits as data, the question."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any, Final

from api.answers.evidence import Evidence
from api.answers.model import Message
from api.answers.plain import visible
from api.models.answers import Citation

MOST_CLAIMS: Final = 6
LETTERS: Final = 300
"""A title, section, summary or what a page is is cut to so many."""

_FOLDER: Final = Path(__file__).parent.parent / "prompts"
_SYSTEM: Final = Template((_FOLDER / "system.md").read_text()).substitute(claims=MOST_CLAIMS)
_QUESTION: Final = Template((_FOLDER / "question.md").read_text())

# The citations come first, so that it is known whether a claim may be shown before its first letter arrives.
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "claims": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "citations": {"type": "array", "items": {"type": "integer"}},
                    "text": {"type": "string"},
                },
                "required": ["citations", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["claims"],
    "additionalProperties": False,
}


def messages(evidence: Evidence) -> list[Message]:
    """The messages of a request. No text of an edit can end the block of edits: each is one line of JSON, and the lines
    around them bear a number that nobody can guess."""
    asked = _QUESTION.substitute(
        nonce=secrets.token_hex(8),
        edits="\n".join(_lines(evidence.sources)),
        now=_time(evidence.searched.now),
        question=visible(evidence.asked.question),
    )
    said = [Message(role=turn.role, content=turn.content) for turn in evidence.conversation]
    return [Message(role="system", content=_SYSTEM), *said, Message(role="user", content=asked)]


def _lines(sources: Sequence[Citation]) -> list[str]:
    return [json.dumps(_edit(source), ensure_ascii=False) for source in sources]


def _edit(source: Citation) -> dict[str, Any]:
    edit = {
        "n": source.n,
        "title": _cut(source.title),
        "wiki": _cut(source.wiki),
        "page": _cut(_page(source)),
        "section": _cut(source.section or ""),
        "summary": _cut(source.comment),
        "time": _time(source.event_time),
        "user": source.user_kind,
        "bytes": source.bytes_delta,
        "undoes": source.revert_kind,
        "reverted": source.reverted or None,
    }
    return {name: value for name, value in edit.items() if value not in (None, "")}


def _page(source: Citation) -> str:
    page = source.page
    return ": ".join(filter(None, (page.label, page.description))) if page else ""


def _cut(text: str) -> str:
    seen = visible(text).strip()
    return seen if len(seen) <= LETTERS else seen[: LETTERS - 1] + "…"


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
