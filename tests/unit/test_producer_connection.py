"""How a connection is asked for and waited for."""

from datetime import UTC, datetime

import pytest

from freshet.etiquette import MAX_RETRY_AFTER_S, retry_after_s, user_agent
from producer.connection import FIRST_BACKOFF_S, MAX_BACKOFF_S, backoff_s

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_the_wait_doubles_up_to_a_ceiling() -> None:
    waits = [backoff_s(failures, luck=1) for failures in range(12)]
    assert waits[:3] == [FIRST_BACKOFF_S, 2 * FIRST_BACKOFF_S, 4 * FIRST_BACKOFF_S]
    assert waits[-1] == MAX_BACKOFF_S
    assert backoff_s(10_000, luck=1) == MAX_BACKOFF_S


def test_clients_are_spread_over_half_of_the_wait() -> None:
    assert (backoff_s(3, luck=0), backoff_s(3, luck=1)) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0),
        ("999999999", MAX_RETRY_AFTER_S),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, seconds: float) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_the_user_agent_names_the_tool_and_the_contact() -> None:
    assert user_agent("https://example.org").startswith("Freshet/")
    assert "(https://example.org)" in user_agent("https://example.org")
    assert "()" not in user_agent("")
