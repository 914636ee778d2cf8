"""The publisher at a real broker."""

import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_none

from freshet.contract import topics
from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings
from producer.classify import Record
from producer.publish import Publisher
from producer.resume import Ledger, read_position

pytestmark = pytest.mark.integration


def test_a_record_that_the_broker_finds_too_large_does_not_stop_the_position(settings: Settings) -> None:
    mine = settings.model_copy(update={"stream_id": "test-too-large"})
    ledger = Ledger()
    publisher = Publisher(mine.bootstrap_servers, mine.stream_id, ledger)
    publisher.send("1", Record(topics.RAW, b"k", b"x" * (MAX_RECORD_BYTES + 1), ()))
    publisher.send("2", None)
    assert ledger.sse_id is None

    @retry(retry=retry_if_result(lambda left: left > 0), wait=wait_none(), stop=stop_after_delay(60))
    def until_settled() -> int:
        publisher.poll(0.1)
        return len(ledger)

    until_settled()
    publisher.close()
    position = read_position(mine)
    assert position is not None
    assert position.sse_id == "2"


def test_a_stream_never_read_has_no_position(settings: Settings) -> None:
    assert read_position(settings.model_copy(update={"stream_id": "test-never-read"})) is None
