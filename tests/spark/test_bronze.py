"""Records become bronze as they are: the bytes, and what their headers say."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract import schemas
from spark_jobs.transforms.records import bronze
from tests.spark.builders import LOGGED_AT, RECEIVED_MS, Record, frame

pytestmark = pytest.mark.spark

ODD_BYTES = b"\x00\xff\xfe not even text"
NO_TIMES = (b"", b"soon", b"-1", b"9" * 30, b"\xff", b"253402300800000")
RECORDS: dict[str, Record] = {
    "ordinary": Record(b"{}"),
    "odd bytes": Record(ODD_BYTES),
    "no payload": Record(None),
    "bare": Record(b"{}", key=None, headers=None),
    "an odd key": Record(b"{}", key=b"en\xff"),
    "an odd source": Record(b"{}", headers={"source": b"\xff"}),
    "two sources": Record(b"{}", headers=[("source", b"first"), ("source", b"second")]),
    **{f"received {value!r}": Record(b"{}", headers={"received-at": value}) for value in NO_TIMES},
}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> dict[str, Row]:
    """The bronze row, by the name of the record."""
    return dict(zip(RECORDS, bronze(frame(spark, RECORDS.values())).collect(), strict=True))


def received(row: Row) -> datetime:
    """`collect` gives times without a zone, in that of the machine."""
    return row["received_at"].astimezone(UTC)


def test_a_row_has_the_columns_of_the_contract(rows: dict[str, Row]) -> None:
    assert tuple(rows["ordinary"].asDict()) == schemas.names(schemas.BRONZE)


def test_the_bytes_are_kept(rows: dict[str, Row]) -> None:
    assert bytes(rows["odd bytes"]["value"]) == ODD_BYTES
    assert rows["no payload"]["value"] is None


def test_the_headers_say_when_and_from_where_a_record_came(rows: dict[str, Row]) -> None:
    row = rows["ordinary"]
    assert received(row).timestamp() * 1000 == RECEIVED_MS
    assert (row["source"], row["sse_id"]) == ("recording", RECORDS["ordinary"].headers["sse-id"].decode())


def test_a_record_without_key_and_headers_was_received_when_it_was_logged(rows: dict[str, Row]) -> None:
    row = rows["bare"]
    assert received(row) == LOGGED_AT
    assert (row["key"], row["source"], row["sse_id"]) == (None, "unknown", None)


@pytest.mark.parametrize("value", NO_TIMES)
def test_a_header_that_is_no_time_is_as_if_absent(rows: dict[str, Row], value: bytes) -> None:
    assert received(rows[f"received {value!r}"]) == LOGGED_AT


def test_what_is_no_text_is_mended(rows: dict[str, Row]) -> None:
    assert rows["an odd source"]["source"] == "\N{REPLACEMENT CHARACTER}"
    assert rows["an odd key"]["key"] == "en\N{REPLACEMENT CHARACTER}"


def test_of_headers_with_one_name_the_first_is_read(rows: dict[str, Row]) -> None:
    assert rows["two sources"]["source"] == "first"
