"""Backups on a real broker and a real Postgres of their own: the log rebuilt offset by offset, the store restored.

The tests stand in the order of one story.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

import freshet.log
from freshet.contract import topics
from freshet.errors import ConfigError, PermanentError
from freshet.offsets import Offsets
from freshet.settings import Settings
from freshet.store import repository
from freshet.store.migrate import FOLDER, lacking, migrate, migrations
from freshet.store.repository import Batch
from freshet.store.standing import standing
from local import broker as embedded_broker
from local import postgres as embedded_postgres
from local.backup import broker, dump, rebuild, tail, target
from local.backup.making import backup as make_backup
from local.backup.manifest import Manifest, Span
from local.backup.restoring import restore
from local.backup.tail import Record
from local.backup.target import Log
from tests.conftest import empty_database, free_settings, running, until_led
from tests.documents import document

pytestmark = pytest.mark.integration

MS = 1_790_000_000_000
FIRST = {topics.RAW: {0: 250_000, 1: 3, 2: 0, 3: 40}, topics.REJECTED: {0: 12, 1: 0, 2: 0, 3: 0}}
RAW = [
    Record(0, 250_000, MS, b"enwiki:A", b'{"meta":{"id":"a"}}', ((topics.SSE_ID, b"[1]"), (topics.SOURCE, b"live"))),
    Record(0, 250_001, MS - 5, b"enwiki:\xff", b"\x00\xff", ()),
    Record(1, 3, MS + 7, None, b"x" * 2_000_000, ((topics.SSE_ID, b""),)),
    Record(2, 0, MS, b"", b"{}", ()),
]
LETTERS = [Record(0, 12, MS, b"", b"undefined", ((topics.STAGE, b"producer"),))]


def spans(topic: str, rows: list[Record]) -> dict[int, Span]:
    count = {number: sum(row.partition == number for row in rows) for number in range(4)}
    return {number: Span(first=first, end=first + count[number]) for number, first in FIRST[topic].items()}


LOG = {
    topics.RAW: spans(topics.RAW, RAW),
    topics.REJECTED: spans(topics.REJECTED, LETTERS),
    topics.GOLD: dict.fromkeys(range(4), Span(first=0, end=0)),
}


def manifest(**given: object) -> Manifest:
    return Manifest.model_construct(**{"log": LOG, "checkpoints": {"lake": {}}, **given})


@pytest.fixture(scope="module")
def place() -> Iterator[Settings]:
    """Engines that no other test has seen."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-test-"))
    folder.chmod(0o755)
    settings = free_settings(folder)
    embedded_broker.prepare(settings)
    embedded_postgres.prepare(settings)
    with (
        running(embedded_broker.declare(settings), settings),
        running(embedded_postgres.declare(settings), settings),
    ):
        yield settings
    embedded_postgres.remove(settings)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the end of a log as it was saved."""
    return tmp_path_factory.mktemp("backup")


def test_a_broker_without_topics_is_an_empty_log(place: Settings, backup: Path) -> None:
    assert target.log_of(place, manifest(), backup) is Log.EMPTY


def test_a_log_of_another_number_of_partitions_is_refused(place: Settings, backup: Path) -> None:
    other = place.model_copy(update={"kafka_partitions": 3})
    with pytest.raises(ConfigError, match=r"KAFKA_PARTITIONS: wiki\.raw had 4"):
        target.log_of(other, manifest(), backup)


def test_without_the_lake_only_the_log_that_was_will_do(place: Settings, backup: Path) -> None:
    with pytest.raises(PermanentError, match="only be restored beside that log"):
        target.log_of(place, manifest(checkpoints={}), backup)


def test_every_record_comes_back_at_its_offset_exactly_as_it_was(place: Settings, backup: Path) -> None:
    broker.make_topics(place)
    for topic, rows in {topics.RAW: RAW, topics.REJECTED: LETTERS}.items():
        rebuild.advance(place, topic, FIRST[topic], lambda _: None)
        assert rebuild.write(place, topic, rows) == len(rows)
        marks = broker.marks(place)[topic]
        assert {number: (part.first, part.end) for number, part in marks.items()} == {
            number: (span.first, span.end) for number, span in LOG[topic].items()
        }
        wanted = {number: range(span.first, span.end) for number, span in LOG[topic].items()}
        (backup / "log").mkdir(exist_ok=True)
        file = backup / "log" / f"{topic}.parquet"
        assert tail.save(place, topic, wanted, file) == len(rows)
        assert list(tail.saved(file)) == rows


def test_the_log_that_the_backup_is_of_is_known_again(place: Settings, backup: Path) -> None:
    assert target.log_of(place, manifest(), backup) is Log.SAME


def test_a_record_that_comes_to_another_offset_is_an_error(place: Settings) -> None:
    with pytest.raises(PermanentError, match="it came to 250002"):
        rebuild.write(place, topics.RAW, [RAW[0]])


def test_another_log_is_refused(place: Settings, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for topic, rows in {topics.RAW: RAW, topics.REJECTED: LETTERS}.items():
        shifted = [row._replace(value=b"another") for row in rows]
        write_tail(tmp_path / "log" / f"{topic}.parquet", shifted)
    with pytest.raises(PermanentError, match="it is another log"):
        target.log_of(place, manifest(), tmp_path)


def write_tail(file: Path, rows: list[Record]) -> None:
    listed = [row._asdict() | {"headers": [{"name": n, "value": v} for n, v in row.headers]} for row in rows]
    pq.write_table(pa.Table.from_pylist(listed, schema=tail.SCHEMA), file)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (Span(first=250_000, end=260_000), "ends at 250003, the backup's at 260000"),
        (Span(first=249_000, end=250_002), "begins at 250000, its readers go on from 249000"),
    ],
)
def test_a_log_that_lacks_something_is_refused(place: Settings, backup: Path, span: Span, said: str) -> None:
    log = {**LOG, topics.RAW: {**LOG[topics.RAW], 0: span}}
    with pytest.raises(PermanentError, match=said):
        target.log_of(place, manifest(log=log), backup)


def test_records_that_are_missing_are_told(place: Settings, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="2 offsets at the end"):
        tail.save(place, topics.RAW, {3: range(38, 40)}, tmp_path / "tail")


def test_the_indexers_are_set_to_where_they_were(place: Settings) -> None:
    until_led(place)
    producer = Producer({"bootstrap.servers": place.bootstrap_servers})
    for number in range(4):
        producer.produce(topics.GOLD, b"{}", partition=number)
    assert producer.flush(30) == 0
    broker.set_indexed(place, {0: 1, 2: 1})
    assert broker.indexed(place, broker.marks(place)[topics.GOLD]) == {0: 1, 2: 1}
    assert Offsets(place).members(place.indexer_group, time.monotonic() + 20) == 0


def test_nothing_is_restored_under_a_running_indexer(place: Settings, backup: Path) -> None:
    consumer = freshet.log.reader(place, place.indexer_group)
    consumer.subscribe([topics.GOLD])
    while not consumer.assignment():
        consumer.poll(0.1)
    with pytest.raises(PermanentError, match="1 indexers run"):
        target.log_of(place, manifest(), backup)
    consumer.close()


def test_a_store_comes_back_as_it_was_and_goes_on(place: Settings, tmp_path: Path) -> None:
    migrate(place.conninfo)
    with repository.connect(place.conninfo) as connection:
        rows = [document(language=language, title=f"Brücke {language}") for language in ("en", "de", "ja")]
        repository.write(connection, Batch(rows, []))
    dump.dump(place.conninfo, tmp_path / "dump")
    with empty_database(place.conninfo) as other:
        dump.restore(other, tmp_path / "dump")
        assert standing(other) == standing(place.conninfo)
        assert standing(other).documents == 3
        assert migrate(other) == []
        query = "SELECT doc_id, text, words FROM documents ORDER BY doc_id"
        with psycopg.connect(other) as there, psycopg.connect(place.conninfo) as here:
            assert there.execute(query).fetchall() == here.execute(query).fetchall()
        with repository.connect(other) as connection:
            assert len(repository.write(connection, Batch([document(title="Later")], [])).inserted) == 1


def test_beside_the_log_that_stayed_the_indexers_go_back_to_where_they_were(place: Settings, tmp_path: Path) -> None:
    def elsewhere(name: str, conninfo: str) -> Settings:
        known = {"kafka_bootstrap_servers": place.bootstrap_servers, "postgres_dsn": SecretStr(conninfo)}
        return place.model_copy(update={**known, "state_dir": tmp_path / name})

    broker.set_indexed(place, {0: 1, 2: 0})
    made = backup_of(elsewhere("first", place.conninfo), tmp_path / "backup")
    assert made.indexed == {0: 1, 2: 0}
    assert sum(span.end - span.first for span in made.log[topics.GOLD].values()) == 3
    broker.set_indexed(place, {0: 1, 2: 1})
    with empty_database(place.conninfo) as other:
        second = elsewhere("second", other)
        assert restore(second, tmp_path / "backup", apply=False, say=print)["log"] == Log.SAME
        assert standing(other).documents == 0
        report = restore(second, tmp_path / "backup", apply=True, say=print)
        assert (report["log"], report["migrations_applied"]) == (Log.SAME, [])
        assert standing(other) == standing(place.conninfo)
    assert broker.indexed(place, broker.marks(place)[topics.GOLD]) == {0: 1, 2: 0}
    assert not any((tmp_path / "second").iterdir())


def backup_of(settings: Settings, folder: Path) -> Manifest:
    return make_backup(settings, folder, with_lake=True, say=print)


def test_a_database_of_before_is_restored_into_newer_code(place: Settings, tmp_path: Path) -> None:
    older = Path(shutil.copytree(FOLDER, tmp_path / "older"))
    newest = migrations()[-1]
    (older / f"{newest.name}.sql").unlink()
    with empty_database(place.conninfo) as before, empty_database(place.conninfo) as after:
        migrate(before, older)
        dump.dump(before, tmp_path / "dump")
        dump.restore(after, tmp_path / "dump")
        assert lacking(after) == [newest.name]
        assert migrate(after) == [newest.name]


def test_a_store_with_tables_is_refused_and_stays_as_it_is(place: Settings, tmp_path: Path) -> None:
    dump.dump(place.conninfo, tmp_path / "dump")
    with pytest.raises(PermanentError, match="the store has tables"):
        target.check_store(place, Manifest.model_construct(airflow=None))
    with pytest.raises(PermanentError, match="already exists"):
        dump.restore(place.conninfo, tmp_path / "dump")
    assert standing(place.conninfo).documents == 3


def test_a_password_is_rotated_and_the_old_one_lets_nobody_in(place: Settings) -> None:
    before = place.conninfo
    with psycopg.connect(before) as open_one:
        embedded_postgres.rotate_password(place)
        assert open_one.execute("SELECT 1").fetchone() == (1,)
    assert place.conninfo != before
    assert place.postgres_password_file.stat().st_mode & 0o777 == 0o600
    psycopg.connect(place.conninfo).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before)


def test_a_rotation_that_was_cut_off_is_ended_by_the_next(place: Settings) -> None:
    file = place.postgres_password_file
    before = file.read_text()
    embedded_postgres.rotate_password(place)
    file.rename(file.with_name(f"{file.name}.new"))
    file.write_text(before)
    embedded_postgres.rotate_password(place)
    psycopg.connect(place.conninfo).close()
    assert not file.with_name(f"{file.name}.new").exists()


def test_the_password_of_another_postgres_is_not_ours(place: Settings) -> None:
    with pytest.raises(ConfigError, match="POSTGRES_DSN"):
        embedded_postgres.rotate_password(place.model_copy(update={"postgres_dsn": SecretStr("host=elsewhere")}))
