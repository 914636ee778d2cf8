"""Who says the same again is heard once: so many edits do not look like many sources."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from freshet.store.search import Found

REMARK_LETTERS: Final = 20
"""A remark so long that one user makes on several pages is one; shorter ones, such as `added a source`, are routine."""

Voice = tuple[str, ...]


def once(found: Sequence[Found]) -> list[Found]:
    """The edits, best first, without those that say on the same page, or by the same user, what an earlier one says.

    What is left out is among the `others` of the one that stays. Digits, spaces and case make no difference.
    """
    heard: dict[Voice, str] = {}
    repeats: dict[str, list[str]] = {}
    for one in found:
        voices = _voices(one)
        first = next((heard[voice] for voice in voices if voice in heard), one.doc_id)
        heard |= dict.fromkeys(voices, first)
        repeats.setdefault(first, [])
        if first != one.doc_id:
            repeats[first].append(one.doc_id)
    return [
        replace(one, others=[*one.others, *repeats[one.doc_id]]) if repeats[one.doc_id] else one
        for one in found
        if one.doc_id in repeats
    ]


def _voices(one: Found) -> list[Voice]:
    words = "".join(letter for letter in one.comment.casefold() if letter.isalpha())
    if not words:
        return []
    of_user = [("user", one.user_name, words)] if one.user_name and len(words) >= REMARK_LETTERS else []
    return [("page", one.wiki, one.title, words), *of_user]
