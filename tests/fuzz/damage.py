"""Ways to damage an event, of its bytes and of what they say; the dice make them the same in every run."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

OTHER_VALUES: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 2**70, 10**30, 0.5, "", " ", "x", "9" * 25, "\ud800", "\u0000", "\u202e<script>", "canary", [],
    [1], {}, {"id": 1}, "2026-02-30T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00+14:00",
)  # fmt: skip
STRAY: Final = (
    b"\x00",
    rb"\u0000",
    rb"\ud800",
    b'"',
    b"}",
    b"[[",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NaN",
    b"1e999999",
    b"\r\n",
)
DEEP: Final = 600
LONG: Final = 40_000


def damaged(dice: random.Random, payload: bytes) -> bytes:
    """The payload, damaged in one to three ways."""
    for way in dice.choices(WAYS, k=dice.choice((1, 1, 2, 3))):
        payload = way(dice, payload)
    return payload


def flipped(dice: random.Random, payload: bytes) -> bytes:
    """Bits of it are turned over."""
    turned = bytearray(payload)
    for _ in range(dice.randint(1, 4) if payload else 0):
        turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
    return bytes(turned)


def cut(dice: random.Random, payload: bytes) -> bytes:
    """It ends too soon."""
    return payload[: dice.randrange(len(payload) + 1)]


def spliced(dice: random.Random, payload: bytes) -> bytes:
    """A piece of it is missing."""
    start, end = sorted(dice.choices(range(len(payload) + 1), k=2))
    return payload[:start] + payload[end:]


def strewn(dice: random.Random, payload: bytes) -> bytes:
    """Something strange is in it."""
    place = dice.randrange(len(payload) + 1)
    return payload[:place] + dice.choice(STRAY) + payload[place:]


def wrapped(dice: random.Random, payload: bytes) -> bytes:
    """It is in a list, is said twice, or has blanks around it."""
    before, after = dice.choice(((b"[", b"]"), (b"", payload), (b" \t\r\n", b" "), (b"{", b"}"), (b'"', b'"')))
    return before + payload + after


def retyped(dice: random.Random, payload: bytes) -> bytes:
    """A member has another value; what is no object any more stays as it is."""
    return _changed(dice, payload, lambda holder, name: {**holder, name: dice.choice(OTHER_VALUES)})


def without(dice: random.Random, payload: bytes) -> bytes:
    """A member is missing."""
    return _changed(dice, payload, lambda holder, name: {one: holder[one] for one in holder if one != name})


def nested(dice: random.Random, payload: bytes) -> bytes:
    """A member is deep inside of lists."""
    depth = dice.randrange(1, DEEP)
    token = json.dumps("@nested")
    changed = _changed(dice, payload, lambda holder, name: {**holder, name: "@nested"})
    return changed.replace(token.encode(), b"[" * depth + b"]" * depth, 1)


def swollen(dice: random.Random, payload: bytes) -> bytes:
    """A text is very long."""
    letter = dice.choice(("x", "\u200b", "月", "\U0001f312", "[[", "{{"))
    return _changed(dice, payload, lambda holder, name: {**holder, name: letter * dice.randrange(1, LONG)})


WAYS: Final = (flipped, cut, spliced, strewn, wrapped, retyped, retyped, without, nested, swollen)


def _changed(dice: random.Random, payload: bytes, change: Callable[[dict[str, Any], str], dict[str, Any]]) -> bytes:
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        return payload
    if not isinstance(event, dict) or not event:
        return payload
    path = _path(dice, event)
    return json.dumps(_with(event, path, change)).encode()


def _path(dice: random.Random, event: dict[str, Any]) -> Sequence[str]:
    name = dice.choice(list(event))
    inner = event[name]
    return (name, dice.choice(list(inner))) if isinstance(inner, dict) and inner and dice.random() < 0.7 else (name,)


def _with(
    holder: dict[str, Any], path: Sequence[str], change: Callable[[dict[str, Any], str], dict[str, Any]]
) -> dict[str, Any]:
    name, *rest = path
    return {**holder, name: _with(holder[name], rest, change)} if rest else change(holder, name)
