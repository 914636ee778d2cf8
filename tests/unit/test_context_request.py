"""Which pages a request asks about, and how."""

from urllib.parse import parse_qs, urlsplit

from context.request import LONGEST_URL_BYTES, fitting, is_askable, url
from freshet.contract.pages import Page

BASE = "https://example.org/w/api.php"


def query(*pages: Page) -> dict[str, str]:
    asked = parse_qs(urlsplit(url(BASE, pages, ("en", "de"), 5)).query)
    return {name: values[0] for name, values in asked.items()}


def test_pages_of_several_wikis_are_asked_about_by_pairs() -> None:
    asked = query(Page("enwiki", "Etna"), Page("jawiki", "富士山"), Page("enwiki", "Moon & tide"))
    assert asked["sites"] == "enwiki|jawiki|enwiki"
    assert asked["titles"] == "Etna|富士山|Moon & tide"
    assert asked["sitefilter"] == "enwiki|jawiki"
    assert asked["props"] == "labels|descriptions|sitelinks"
    assert (asked["languages"], asked["maxlag"]) == ("en|de", "5")
    assert "normalize" not in asked


def test_pages_of_one_wiki_name_it_once() -> None:
    assert query(Page("enwiki", "Etna"), Page("enwiki", "Moon"))["sites"] == "enwiki"


def test_a_title_with_the_separator_in_it_has_all_titles_separated_by_another() -> None:
    assert query(Page("enwiki", "A|B"), Page("dewiki", "C"))["titles"] == "\x1fA|B\x1fC"


def test_an_address_stays_short_and_has_fifty_pages_at_most() -> None:
    short = [Page("enwiki", f"Page {number}") for number in range(80)]
    assert fitting(BASE, short, ("en",), 5) == 50
    long = [Page("jawiki", f"{number} " + "富" * 80) for number in range(50)]
    count = fitting(BASE, long, ("en",), 5)
    assert 1 < count < 50
    assert len(url(BASE, long[:count], ("en",), 5)) <= LONGEST_URL_BYTES < len(url(BASE, long[: count + 1], ("en",), 5))


def test_one_page_is_asked_about_however_long_its_title_is() -> None:
    assert fitting(BASE, [Page("jawiki", "富" * 5_000)], ("en",), 5) == 1


def test_what_can_be_no_page_is_not_asked_about() -> None:
    assert is_askable(Page("zh_min_nanwiki", "Tâi-oân"))
    odd = [Page("enwiki", "a\x1fb"), Page("enwiki", " "), Page("", "a"), Page("en|wiki", "a"), Page("EN", "a")]
    assert not [page for page in odd if is_askable(page)]
