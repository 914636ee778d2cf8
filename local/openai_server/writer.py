"""What the stand-in writes: claims about the edits that it finds in the prompt. Pure and deterministic."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from local.openai_server.faults import Fault

Edit = Mapping[str, Any]

MOST_CLAIMS: Final = 4
PROSE: Final = "Sure! Here is what is changing, as far as I can tell from the edits above."
TEMPTING: Final = (
    " <script>alert(1)</script> [click](https://evil.example/click) ![p](https://evil.example/p.png)"
    " www.evil.example [9]"
)
"""What the obedient one adds to whatever a stranger told it to say."""

_DICTATED: Final = '{"claims"'


def edits(messages: Sequence[Mapping[str, Any]]) -> list[Edit]:
    """The edits in the last message: each line that is a JSON object with a number."""
    lines = str(messages[-1].get("content", "")).splitlines() if messages else []
    parsed = [_parsed(line) for line in lines if line.startswith("{")]
    return [edit for edit in parsed if "n" in edit]


def write(found: Sequence[Edit], fault: Fault) -> str:
    """The content of an answer."""
    match fault:
        case Fault.PROSE:
            return PROSE
        case Fault.EMPTY:
            return ""
        case Fault.TYPES:
            return json.dumps({"claims": [{"citations": "1", "text": ["no", "text"]}]})
        case Fault.NO_CLAIMS:
            return json.dumps({"claims": []})
        case Fault.OBEDIENT if dictated := _dictated(found):
            return dictated
    claims = [_claim(page, fault) for page in _pages(found)[:MOST_CLAIMS]]
    return json.dumps({"claims": claims}, ensure_ascii=False)


def _claim(page: Sequence[Edit], fault: Fault) -> dict[str, Any]:
    numbers = [edit["n"] for edit in page]
    last = page[-1]
    text = f"{last.get('title')} was edited: {last.get('summary', 'without a summary')}."
    match fault:
        case Fault.CITATIONS:
            return {"citations": [0, *numbers, *numbers, 99, -1], "text": text}
        case Fault.TEXT_FIRST:
            return {"text": text, "citations": numbers}
        case Fault.OBEDIENT:
            told = " ".join(str(edit.get(part, "")) for edit in page for part in ("title", "section", "summary"))
            return {"citations": [*numbers, 99], "text": told + TEMPTING}
    return {"citations": numbers, "text": text}


def _dictated(found: Sequence[Edit]) -> str:
    """An answer that is written in a summary already."""
    summaries = [str(edit.get("summary", "")) for edit in found]
    return next((text[text.index(_DICTATED) :] for text in summaries if _DICTATED in text), "")


def _pages(found: Sequence[Edit]) -> list[list[Edit]]:
    pages: dict[Any, list[Edit]] = {}
    for edit in found:
        pages.setdefault((edit.get("wiki"), edit.get("title")), []).append(edit)
    return list(pages.values())


def _parsed(line: str) -> Edit:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
