"""Every payload gets exactly one verdict, and none stops a task."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import Row, SparkSession

from spark_jobs.transforms.parse import CANARY, VALID, parse
from spark_jobs.transforms.records import bronze
from tests.spark.builders import frame, numbered
from tests.spark.payloads import CANARIES, ODD_BUT_VALID, REJECTED, WHOLE_EVENT, changed

pytestmark = pytest.mark.spark

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES: dict[str, datetime] = {
    "2026-11-23T12:00:00Z": NOON,
    "2026-11-23T12:00:00+00:00": NOON,
    "2026-11-23T12:00:00.250Z": NOON.replace(microsecond=250_000),
    "2026-11-23T12:00:00.123456Z": NOON.replace(microsecond=123_456),
    "2026-11-23T12:00:00.123456789Z": NOON.replace(microsecond=123_456),
    "2026-11-23T14:30:00+02:30": NOON,
    "2026-11-23T04:00:00-0800": NOON,
    "2024-02-29T23:59:59Z": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
}
Parsed = dict[str, Row]


@pytest.fixture(scope="module")
def parsed(spark: SparkSession) -> Parsed:
    """All payloads of this module through one job, by name."""
    payloads = {
        **ODD_BUT_VALID,
        **CANARIES,
        **{name: value for name, (value, _) in REJECTED.items()},
        **{text: changed(meta__dt=text) for text in TIMES},
    }
    rows = parse(bronze(frame(spark, numbered(payloads.values())))).drop("value").collect()
    return dict(zip(payloads, rows, strict=True))


@pytest.mark.parametrize("name", ODD_BUT_VALID)
def test_what_is_odd_is_still_an_event(parsed: Parsed, name: str) -> None:
    row = parsed[name]
    assert (row["verdict"], row["error"]) == (VALID, None)
    assert (row["event"]["meta"]["id"], row["event"]["wiki"]) == ("e1", "enwiki")


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_is_known_by_its_domain_alone(parsed: Parsed, name: str) -> None:
    assert (parsed[name]["verdict"], parsed[name]["error"]) == (CANARY, None)


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_event_has_a_reason_and_a_sentence(parsed: Parsed, name: str) -> None:
    assert parsed[name]["verdict"] == REJECTED[name][1]
    assert parsed[name]["error"]


@pytest.mark.parametrize("text", TIMES)
def test_every_way_to_write_a_time_is_the_same_moment(parsed: Parsed, text: str) -> None:
    assert parsed[text]["verdict"] == VALID
    assert parsed[text]["event_time"].astimezone(UTC) == TIMES[text]


def test_the_members_of_the_contract_are_read_and_no_others(parsed: Parsed) -> None:
    read = parsed["a modern event"]["event"].asDict(recursive=True)
    assert read["meta"] == {name: WHOLE_EVENT["meta"][name] for name in ("id", "dt", "domain", "uri")}
    assert read["revision"] == {"old": "100", "new": "200"}
    assert (read["title"], read["user"], read["bot"]) == ("Snow", "Ada", "false")
    assert "title_url" not in read


def test_a_misshapen_member_does_not_take_the_others_with_it(parsed: Parsed) -> None:
    read = parsed["a length that is a list"]["event"]
    assert (read["length"], read["title"], read["revision"]["new"], read["comment"]) == (
        None, "Snow", "200", WHOLE_EVENT["comment"],
    )  # fmt: skip


def test_the_last_of_duplicate_keys_wins_as_in_other_parsers(parsed: Parsed) -> None:
    assert parsed["the same member twice"]["event"]["title"] == "Snow"


def test_the_error_says_what_was_found(parsed: Parsed) -> None:
    assert parsed["a word for a time"]["error"] == "meta.dt is yesterday"
    assert parsed["an id too long for a key"]["error"] == "meta.id has 129 characters"
    assert parsed["too large and no JSON"]["error"] == "1048577 bytes"
    assert parsed["UTF-16"]["error"] == "the payload is not UTF-8"
    assert parsed["no payload"]["error"] == "there is no payload"
