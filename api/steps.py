"""What each step did to an edit's fields: raw record to silver, silver to gold. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pydantic_core

from api.models.traces import Changed, Layer, Raw, Step
from freshet.contract import schemas

Fields = Mapping[str, Any]

SAID: Final = {
    "event_id": ("meta.id",),
    "event_time": ("meta.dt",),
    "wiki": ("wiki",),
    "domain": ("meta.domain", "server_name"),
    "type": ("type",),
    "namespace": ("namespace",),
    "title": ("title",),
    "user_name": ("user",),
    "minor": ("minor",),
    "comment": ("comment",),
    "bytes_old": ("length.old",),
    "bytes_new": ("length.new",),
    "revision_id": ("revision.new",),
    "parent_revision_id": ("revision.old",),
    "page_url": ("meta.uri",),
    "log_type": ("log_type",),
    "log_action": ("log_action",),
}
"""Columns of silver that say what a field of the payload says: the first of these that is there."""

CONCLUDED: Final = {
    "language": ("meta.domain", "server_name"),
    "user_kind": ("bot", "user"),
    "section": ("comment",),
    "bytes_delta": ("length.old", "length.new"),
    "diff_url": ("meta.domain", "server_name", "server_script_path", "revision.old", "revision.new"),
    "revert_kind": ("comment",),
    "reverted_user": ("comment",),
    "reverted_revision_id": ("comment",),
    "restored_revision_id": ("comment",),
}
"""Columns of silver that are concluded from fields of the payload, none of which says it."""

_USED: Final = frozenset(path for paths in (*SAID.values(), *CONCLUDED.values()) for path in paths)
_OBJECTS: Final = frozenset(path.partition(".")[0] for path in _USED if "." in path)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def steps(raw: Raw, silver: Layer, gold: Fields) -> list[Step]:
    """Both steps. One whose layer is not there says nothing; that layer's status has the reason."""
    payload = _payload(raw)
    first, second = Step(source="raw", target="silver"), Step(source="silver", target="gold")
    if silver.row is not None:
        second = silver_to_gold(silver.row, gold)
        if payload is not None:
            first = raw_to_silver(payload, silver.row)
    return [first, second]


def raw_to_silver(payload: Fields, silver: Fields) -> Step:
    """What was made of an event's JSON. Fields of the payload are named by dotted paths."""
    fields = dict(_leaves(payload))
    before = {
        name: next((fields[path] for path in SAID.get(name, ()) if path in fields), None)
        for name in schemas.names(schemas.SILVER)
    }
    dropped = [path for path in fields if path not in _USED]
    return _step(Step(source="raw", target="silver", dropped=dropped), before, silver)


def silver_to_gold(silver: Fields, gold: Fields) -> Step:
    """What was made of a silver row."""
    columns = schemas.names(schemas.GOLD)
    dropped = [name for name, value in silver.items() if value is not None and name not in columns]
    before = {name: silver.get(name) for name in columns}
    return _step(Step(source="silver", target="gold", dropped=dropped), before, gold)


def _step(step: Step, old: Fields, new: Fields) -> Step:
    """`old` has the columns of the new layer, as far as the old one says them. Null says nothing."""
    differ = [name for name in old if not _alike(old[name], new.get(name))]
    changed = [Changed(field=name, before=old[name], after=new.get(name)) for name in differ if old[name] is not None]
    return step.model_copy(update={"added": [name for name in differ if old[name] is None], "changed": changed})


def _alike(old: Any, new: Any) -> bool:
    """Whether both say the same, however it is written. Times are kept to the millisecond on the log."""
    if isinstance(new, datetime):
        return _milliseconds(old) == _milliseconds(new)
    return _text(old) == _text(new)


def _milliseconds(time: Any) -> int | None:
    try:
        moment = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return pydantic_core.to_json(value).decode()


def _payload(raw: Raw) -> Fields | None:
    if raw.payload is None or raw.encoding != "utf-8":
        return None
    try:
        # It refuses what is nested too deeply, where json runs out of stack.
        payload = pydantic_core.from_json(raw.payload, allow_inf_nan=False)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _leaves(payload: Fields) -> Iterator[tuple[str, Any]]:
    """The fields of the event by dotted path. An object of which nothing is used is one field. Null says nothing."""
    for name, value in payload.items():
        if name in _OBJECTS and isinstance(value, dict):
            yield from ((f"{name}.{inner}", said) for inner, said in value.items() if said is not None)
        elif value is not None:
            yield name, value
