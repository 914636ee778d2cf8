"""What `wbgetentities` answered, read with care: every part of it may be missing, of another type, or hostile."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from context.failures import NotAnsweredError, Outcome
from freshet.contract.pages import Description, Page
from freshet.contract.texts import phrase

LONGEST_TEXT: Final = 250
_ITEM: Final = re.compile(r"Q[1-9][0-9]{0,14}")

Answers = Mapping[Page, Description | None]
"""By page; None where there is no item of it. A page that was not answered is not in it."""


def read(body: bytes, asked: Collection[Page], languages: Sequence[str]) -> Answers:
    """What is said of the pages that were asked about, and nothing of any other. Raises NotAnsweredError."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAnsweredError(Outcome.BROKEN, f"no JSON: {error}") from error
    answer = _object(answer, "the answer")
    if "error" in answer:
        raise _refused(_object(answer["error"], "its error"))
    names = _normalized(answer.get("normalized"))
    found: dict[Page, Description | None] = {}
    for entity in _object(answer.get("entities"), "entities").values():
        for page, said in _said(_object(entity, "an entity"), languages):
            known = Page(page.wiki, names.get(page.title, page.title))
            if known in asked:
                found.setdefault(known, said)
    return found


def _refused(error: Mapping[str, Any]) -> NotAnsweredError:
    code, info = str(error.get("code")), phrase(str(error.get("info", "")), LONGEST_TEXT)
    known = {"maxlag": Outcome.MAXLAG, "readonly": Outcome.READONLY, "params-illegal": Outcome.ILLEGAL}
    limited = {"ratelimited": Outcome.THROTTLED}
    return NotAnsweredError((known | limited).get(code, Outcome.ERROR), f"{phrase(code, 50)}: {info}")


def _said(entity: Mapping[str, Any], languages: Sequence[str]) -> Iterator[tuple[Page, Description | None]]:
    """The pages that an entity is about."""
    if "missing" in entity:
        if isinstance(entity.get("site"), str) and isinstance(entity.get("title"), str):
            yield Page(entity["site"], entity["title"]), None
        return
    item = entity.get("id")
    if not isinstance(item, str) or not _ITEM.fullmatch(item):
        raise NotAnsweredError(Outcome.BROKEN, "an entity without an id")
    label = _first(entity.get("labels"), languages)
    description = _first(entity.get("descriptions"), languages)
    language = (description or label or (None, None))[1]
    said = Description(item, label and label[0], description and description[0], language)
    for link in _object(entity.get("sitelinks"), "sitelinks").values():
        place = _object(link, "a sitelink")
        if isinstance(place.get("site"), str) and isinstance(place.get("title"), str):
            yield Page(place["site"], place["title"]), said


def _first(texts: Any, languages: Sequence[str]) -> tuple[str, str] | None:
    """The text in the first of these languages that has one, and the language."""
    known = _object(texts, "texts")
    for language in languages:
        text = _object(known.get(language), "a text").get("value", "")
        if not isinstance(text, str):
            raise NotAnsweredError(Outcome.BROKEN, f"a text is a {type(text).__name__}")
        if plain := phrase(text, LONGEST_TEXT):
            return plain, language
    return None


def _normalized(told: Any) -> Mapping[str, str]:
    """Titles as they were asked for, by those that the answer has in their place."""
    several = told if isinstance(told, list) else [told, *(told.values() if isinstance(told, dict) else ())]
    pairs = [one for one in several if isinstance(one, dict)]
    return {
        one["to"]: one["from"] for one in pairs if isinstance(one.get("to"), str) and isinstance(one.get("from"), str)
    }


def _object(value: Any, what: str) -> Mapping[str, Any]:
    # PHP writes an object without members as an empty array.
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise NotAnsweredError(Outcome.BROKEN, f"{what}: a {type(value).__name__} and no object")
    return value
