"""A trace as tables: each layer's fields, and what the step into it did to them. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Fields = Mapping[str, Any]

MOST_FIELDS: Final = 200


@dataclass(frozen=True)
class Field:
    """`mark` is added, changed, dropped (nothing after uses it) or nothing; `before` is what a changed one was."""

    name: str
    value: str
    mark: str = ""
    before: str | None = None


@dataclass(frozen=True)
class Layer:
    """`status` says why there are no fields, where there are none."""

    name: str
    about: str
    status: str
    fields: Sequence[Field]


def layers(found: Mapping[str, Any]) -> list[Layer]:
    """Gold, silver, bronze and the raw record, as `GET /v1/documents/{doc_id}/trace` has them."""
    steps = {(step["from"], step["to"]): step for step in found["steps"]}
    to_silver, to_gold = steps.get(("raw", "silver"), {}), steps.get(("silver", "gold"), {})
    raw, silver, bronze = found["raw"], found["silver"], found["bronze"]
    return [
        Layer("gold", "the document that is searched", "found", _marked(found["gold"], to_gold, {})),
        Layer("silver", "the event, cleaned", silver["status"], _marked(silver["row"] or {}, to_silver, to_gold)),
        Layer("bronze", "the record, as it was kept", bronze["status"], _marked(_kept(bronze["row"] or {}), {}, {})),
        Layer("raw", "the event, as it was received", raw["status"], _marked(_payload(raw), {}, to_silver)),
    ]


def as_text(value: Any) -> str:
    """A value as one reads it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _marked(fields: Fields, step_in: Mapping[str, Any], step_out: Mapping[str, Any]) -> list[Field]:
    added = set(step_in.get("added") or ())
    changed = {one["field"]: one["before"] for one in step_in.get("changed") or ()}
    dropped = set(step_out.get("dropped") or ())

    def field(name: str, value: Any) -> Field:
        if name in changed:
            return Field(name, as_text(value), "changed", as_text(changed[name]))
        mark = "added" if name in added else "dropped" if name in dropped else ""
        return Field(name, as_text(value), mark)

    return [field(name, value) for name, value in list(fields.items())[:MOST_FIELDS]]


def _kept(row: Fields) -> Fields:
    """Bronze without the payload, which the raw record shows."""
    return {name: value for name, value in row.items() if name != "value"}


def _payload(raw: Fields) -> Fields:
    if raw["payload"] is None:
        return {}
    try:
        return dict(_dotted(json.loads(raw["payload"]), ""))
    except (ValueError, RecursionError):
        return {"payload": raw["payload"]}


def _dotted(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a JSON value by their dotted paths."""
    if not isinstance(value, dict) or not value:
        yield path or "payload", value
        return
    for name, inner in value.items():
        yield from _dotted(inner, f"{path}.{name}" if path else name)
