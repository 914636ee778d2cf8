"""By which names one may speak to a server here, and what a page of elsewhere may do."""

import pytest

from freshet.hosts import is_of_elsewhere, is_ours

HERE = "127.0.0.1:18086"


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "localhost:18080", "freshet.localhost:18080", "api:18080", "127.0.0.1:18080", "[::1]:18080",
     "192.0.2.7", "here"],
)  # fmt: skip
def test_addresses_and_names_of_this_network_are_ours(host: str) -> None:
    assert is_ours(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:18080", "127.0.0.1.evil.example", "evil.example.", "localhost.evil.example",
     "evil.example@127.0.0.1", "evil.example#.localhost", "127.0.0.1,evil.example", "127.0.0.1:18080:evil.example",
     "[::1].evil.example", "\x00", " evil.example"],
)  # fmt: skip
def test_a_name_that_a_stranger_can_own_is_not_ours(host: str) -> None:
    assert not is_ours(host)


def test_names_of_the_settings_are_ours_and_a_star_stands_for_all() -> None:
    assert is_ours("Freshet.Example:443", ["freshet.example"])
    assert not is_ours("evil.example", ["freshet.example"])
    assert is_ours("evil.example", ["*"])


@pytest.mark.parametrize(
    ("method", "headers", "of_elsewhere"),
    [
        ("POST", {}, False),
        ("POST", {"origin": f"http://{HERE}"}, False),
        ("POST", {"origin": "https://evil.example"}, True),
        ("POST", {"origin": "http://127.0.0.1:9999"}, True),
        ("POST", {"origin": "null"}, True),
        ("POST", {"origin": "https://freshet.example"}, False),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"sec-fetch-site": "same-origin", "origin": f"http://{HERE}"}, False),
        ("GET", {}, False),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, True),
    ],
)
def test_a_page_of_elsewhere_may_link_to_here_and_nothing_else(
    method: str, headers: dict[str, str], of_elsewhere: bool
) -> None:
    assert is_of_elsewhere(method, {"host": HERE, **headers}, ["freshet.example"]) is of_elsewhere
