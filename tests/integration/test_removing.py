"""Taking out of silver and gold what was removed, on real tables and a real register, without a JVM."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from psycopg import Connection
from pydantic import SecretStr

from freshet.contract.removals import Kind, Origin, Standing, target
from freshet.errors import TransientError
from freshet.settings import Settings, load_settings
from freshet.store import covered, removals, removed
from freshet.store.removals import Removal
from freshet.upkeep import removing
from freshet.upkeep.removing import Search
from tests.documents import NOON

pytestmark = pytest.mark.integration

LATER = NOON + timedelta(hours=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lake(store: str, tmp_path: Path) -> Settings:
    """Settings of an empty register and of a lake of this test's own."""
    return load_settings(postgres_dsn=SecretStr(store), lake_root=f"file://{tmp_path}/lake")


@pytest.fixture
def connection(lake: Settings) -> Iterator[Connection]:
    with psycopg.connect(lake.conninfo, autocommit=True) as connection:
        yield connection


def row(event_id: str, title: str = "Snow", **changes: Any) -> dict[str, Any]:
    made = {
        "event_id": event_id,
        "event_time": NOON,
        "type": "edit",
        "wiki": "enwiki",
        "title": title,
        "revision_id": 200,
        "user_name": "Ada",
        "reverted_user": None,
        "raw_topic": "wiki.raw",
        "raw_partition": 0,
        "raw_offset": 7,
    }
    return made | changes


SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("event_id", "type", "wiki", "title", "user_name", "reverted_user", "raw_topic")]
    + [("event_time", pa.timestamp("us", "UTC")), ("revision_id", pa.int64())]
    + [("raw_partition", pa.int32()), ("raw_offset", pa.int64())]
)


def put(settings: Settings, *made: dict[str, Any], layers: tuple[str, ...] = removing.TABLES) -> None:
    """Each time a file of its own."""
    for layer in layers:
        write_deltalake(settings.lake.table(layer), pa.Table.from_pylist(made, SCHEMA), mode="append")


def remove(connection: Connection, kind: Kind, name: str, origin: Origin = Origin.STREAM) -> None:
    with connection.transaction():
        removals.enter(connection, [Removal(kind, "" if kind is Kind.EVENT else "enwiki", [name], LATER, origin)])


def rows(silver: int, gold: int) -> dict[str, int]:
    """Of every layer, as in the report of the Spark job: whoever reads it need not know which of the two it was."""
    return {"bronze": 0, "silver": silver, "gold": gold, "rejected": 0}


def held(settings: Settings, layer: str = "silver") -> list[str]:
    return sorted(DeltaTable(settings.lake.table(layer)).to_pyarrow_table()["event_id"].to_pylist())


def some(settings: Settings, *names: str) -> list[covered.Covered]:
    wanted = [Standing(target(Kind.EVENT, "", name), "event", Origin.HAND, LATER) for name in names]
    return list(covered.rows(DeltaTable(settings.lake.table("silver")), wanted))


def test_an_id_is_never_read_as_a_condition(lake: Settings, connection: Connection) -> None:
    names = ["x' OR 'a'='a", "x') OR true --", "x\\' OR true --", "x\n'; {id}", "Ж\U0001f3e0", "kept"]
    put(lake, *(row(name, "Ice" if name == "kept" else "Snow") for name in names))
    for gone in names[:-1]:
        found = some(lake, gone)
        assert [one.why.event_id for one in found] == [gone]
        assert covered.delete(DeltaTable(lake.lake.table("silver")), found) == 1
    assert held(lake) == ["kept"]


def test_several_removals_of_an_edit_take_it_out_once_and_are_told_by_the_one_by_hand(
    lake: Settings, connection: Connection
) -> None:
    by_hand = ["e", "f", "g"]
    put(lake, row("b", revision_id=201), row("c", "Ice", revision_id=200, type="log"), row("d", "Ice"))
    put(lake, *(row(name, "Hail") for name in by_hand))
    for kind, name in ((Kind.PAGE, "Snow"), (Kind.PAGE, "Hail"), (Kind.REVISION, "200")):
        remove(connection, kind, name)
    for name in by_hand:
        remove(connection, Kind.EVENT, name, Origin.HAND)
    assert removing.run(lake, apply=True)["rows"] == rows(silver=5, gold=5)
    assert held(lake) == held(lake, "gold") == ["c"]
    why = connection.execute("SELECT event_id, kind || ' by ' || origin FROM removed_events").fetchall()
    assert dict(why) == {"b": "page by stream", "d": "revision by stream"} | dict.fromkeys(by_hand, "event by hand")
    # bronze was not looked through for them
    waiting = connection.execute("SELECT event_id FROM removed_events WHERE lake_at IS NULL ORDER BY 1").fetchall()
    assert waiting == [(name,) for name in by_hand]


def test_more_than_may_be_deleted_at_once_are_deleted_one_list_after_the_other(
    lake: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covered, "MOST", 2)
    put(lake, *(row(f"{number}", event_time=NOON + timedelta(seconds=number % 3)) for number in range(5)))
    put(lake, row("kept", "Ice"))
    remove(connection, Kind.PAGE, "Snow")
    assert removing.run(lake, apply=True)["rows"] == rows(silver=5, gold=5)
    assert held(lake) == ["kept"]


def test_it_begins_again_when_another_writer_s_commit_came_first(
    lake: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, *map(row, "abcde"), row("other", "Ice"), row("kept", "Ice"))
    remove(connection, Kind.PAGE, "Snow")
    others: list[Callable[[DeltaTable], object]] = [
        lambda table: DeltaTable(table.table_uri).delete("event_id = 'other'"),
        lambda table: put(lake, row("new", "Ice"), layers=("silver",)),
        lambda table: DeltaTable(table.table_uri).optimize.compact(),
        lambda table: put(lake, row("late", "Ice", event_time=LATER), layers=("silver",)),
    ]
    tries: list[str] = []
    whole = covered.delete

    def beside_another(table: DeltaTable, found: Any) -> int:
        tries.append(table.table_uri)
        if others:
            others.pop(0)(table)
        return whole(table, found)

    monkeypatch.setattr(covered, "delete", beside_another)
    assert removing.run(lake, apply=True)["rows"] == rows(silver=5, gold=5)
    # what is of another time than those that go did not matter
    assert (len(tries), others, held(lake)) == (5, [], ["kept", "late", "new"])


def test_of_a_table_that_is_damaged_it_says_so_and_nothing_is_noted(lake: Settings, connection: Connection) -> None:
    put(lake, row("a"))
    remove(connection, Kind.PAGE, "Snow")
    (log,) = (Path(lake.lake.table("gold").removeprefix("file://")) / "_delta_log").glob("*.json")
    log.write_text("{")
    with pytest.raises(TransientError, match="the lake cannot be read or written"):
        removing.run(lake, apply=True)
    assert (held(lake), removed.waiting(connection), removed.due(lake.conninfo)) == (["a"], 0, True)


def test_a_lake_without_tables_has_nothing_to_lose(lake: Settings, connection: Connection) -> None:
    remove(connection, Kind.PAGE, "Snow")
    assert removing.run(lake, apply=True)["rows"] == rows(silver=0, gold=0)
    assert not removed.due(lake.conninfo)


def passed(connection: Connection, time: timedelta) -> None:
    """As if so much time had passed."""
    connection.execute(
        "UPDATE removals SET noted_at = noted_at - %(time)s, lake_at = lake_at - %(time)s", {"time": time}
    )


def test_what_the_stream_removed_waits_to_settle_and_needs_no_jvm(lake: Settings, connection: Connection) -> None:
    assert removing.due(lake, scheduled=True) is None
    remove(connection, Kind.PAGE, "Snow")
    assert removing.due(lake, scheduled=True) is None
    passed(connection, HOUR)
    assert removing.due(lake, scheduled=True) is Search.TABLES
    removing.run(lake, apply=False)
    assert removing.due(lake, scheduled=True) is Search.TABLES
    removing.run(lake, apply=True)
    passed(connection, DAY)
    assert removing.due(lake, scheduled=True) is None
    # whoever asks gets an answer
    assert removing.due(lake, scheduled=False) is Search.TABLES


def test_what_was_removed_by_hand_is_looked_for_in_bronze_too_and_again_once_a_day(
    lake: Settings, connection: Connection
) -> None:
    remove(connection, Kind.PAGE, "Snow", Origin.HAND)
    assert removing.due(lake, scheduled=False) is Search.LAKE
    passed(connection, HOUR)
    removing.run(lake, apply=True)
    assert removing.due(lake, scheduled=True) is Search.LAKE
    searched(lake)
    assert removing.due(lake, scheduled=True) is None
    remove(connection, Kind.PAGE, "Ice")
    passed(connection, HOUR)
    assert removing.due(lake, scheduled=True) is Search.TABLES
    passed(connection, DAY)
    assert removing.due(lake, scheduled=True) is Search.LAKE
    searched(lake)
    assert removing.due(lake, scheduled=True) is None


def searched(settings: Settings) -> None:
    """As the Spark job says it when it has been through every table."""
    removed.searched(settings.conninfo, removals.standing(settings.conninfo), [], datetime.now(UTC), list(Origin))
