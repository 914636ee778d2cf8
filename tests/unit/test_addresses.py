"""Addresses are masked wherever they stand, and nothing else is."""

import pytest

from freshet.addresses import MASK, masked, masked_title, without_addresses


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1",
        "255.255.255.255",
        "2001:db8::1",
        "2001:DB8:0:0:0:0:0:1",
        "2001:0DB8:85A3:0000:0000:8A2E:0370:7334",
        "::1",
        "fe80::",
        "::ffff:192.0.2.1",
        "192.168.010.001",
        "192.0.2.0/24",
        "2001:DB8::/32",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "Undid revision 5 by {} (talk)",
        "Reverted edits by {}: vandalism",
        "by {}.",
        "[[Special:Contributions/{}|{}]]",
        "„{}“",
        '"user":"{}"',
        "{}, {}",
        "User talk:{}",
        "Facade:{}",
    ],
)
def test_an_address_is_masked_wherever_it_stands(text: str, address: str) -> None:
    assert masked(text.replace("{}", address)) == text.replace("{}", MASK)


@pytest.mark.parametrize(
    "text",
    [
        "at 10:15:29, on 2026-11-23T10:15:29Z",
        "version 1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "192.0.2.1a",
        "std::vector",
        "x::y::z",
        "::",
        "...",
        ": : :",
        "score 3:2:1:0",
        "~2026-1234",
        "10.1038/s41586-020-2649-2",
        "Ada 192.0.2",
        "१९२.०.२.१",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("User talk:192.0.2.1", f"User talk:{MASK}"),
        ("Benutzer Diskussion:2001:DB8:0:0:0:0:0:1/Archiv", f"Benutzer Diskussion:{MASK}/Archiv"),
        ("127.0.0.1", "127.0.0.1"),
        ("User:Ada", "User:Ada"),
        ("Blade Runner: 2049", "Blade Runner: 2049"),
    ],
)
def test_a_page_of_ones_own_is_not_called_after_an_address(title: str, shown: str) -> None:
    assert masked_title(title) == shown


def test_a_row_is_shown_without_addresses_and_otherwise_as_it_is() -> None:
    row = {
        "title": "User talk:192.0.2.1",
        "page_url": "https://en.wikipedia.org/wiki/User_talk:192.0.2.1",
        "user_name": "192.000.002.001",
        "user_kind": "ip",
        "comment": "Undid revision 5 by 2001:db8::1",
        "text": None,
        "revision_id": 5,
    }
    shown = without_addresses(row)
    assert shown == {
        "title": f"User talk:{MASK}",
        "page_url": None,
        "user_name": MASK,
        "user_kind": "ip",
        "comment": f"Undid revision 5 by {MASK}",
        "text": None,
        "revision_id": 5,
    }
    temporary = {"title": "Snow", "page_url": "u", "user_name": "~2026-1234", "user_kind": "temporary"}
    assert without_addresses(temporary) == temporary
