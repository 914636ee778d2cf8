"""What strangers write is text, wherever it stands: in the feed, in an answer, on a card, in a trace."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hostile import HOSTILE
from tests.pages.conftest import NAMES
from tests.pages.reader import PHONE, Reader
from tests.stacks import Model, Stack

pytestmark = pytest.mark.e2e

MARKUP = (
    "script, img, iframe, svg, object, embed, form, input, style, link, meta, base, video, audio, h1, b, table, code"
)
PLACES = "live-feed .edit, #sources .card, #chat .message, #trace .layers"


def assert_text_only(page: Page) -> None:
    """No element that our own templates do not make, no link out of Wikimedia, nothing wider than the page."""
    found = page.locator(PLACES).evaluate_all(
        """(places, markup) => places.flatMap(place => [...place.querySelectorAll(markup)].map(one => one.outerHTML))
        .filter(html => !html.includes('class="svelte'))""",
        MARKUP.replace(", svg", ""),
    )
    assert not found, found
    links = page.locator(PLACES).evaluate_all(
        "all => all.flatMap(one => [...one.querySelectorAll('a')].map(a => a.href))"
    )
    hosts = {urlsplit(link).hostname for link in links}
    assert all(
        host == "127.0.0.1" or str(host).endswith((".wikipedia.org", ".wikidata.org", ".wikimedia.org"))
        for host in hosts
    ), hosts
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], wide


@pytest.fixture(scope="module", autouse=True)
def prompt_model(model: Model) -> Iterator[None]:
    """Nobody watches how these answers are written."""
    model.end()
    model.start(0.1)
    yield
    model.end()
    model.start()


@pytest.fixture(scope="module")
def shared_reader(chromium: Browser, stack: Stack):
    with Reader.opening(chromium, stack) as reader:
        yield reader


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_edit_is_nothing_but_text(shared_reader: Reader, name: str) -> None:
    reader = shared_reader
    reader.page.locator("live-feed input[name=wiki]").fill("enwiki")
    question = f"What is changing about {NAMES[name]}?"
    reader.ask_and_wait(question)
    assert NAMES[name] in reader.cards.first.inner_text()
    assert "(Wikidata, CC0)" in reader.cards.first.locator(".about").inner_text()
    reader.cards.first.get_by_role("button", name="trace").click()
    expect(reader.page.get_by_role("region", name="raw")).to_be_visible()
    assert_text_only(reader.page)
    reader.page.keyboard.press("Escape")
    reader.page.locator("#clear").click()
    reader.assert_untroubled()


def test_the_question_of_a_link_is_text_as_well(chromium: Browser, stack: Stack) -> None:
    question = "<img src=x onerror=alert(1)> **bold** [x](javascript:alert(1)) ![p](https://evil.example/p.png) $$x$$"
    with Reader.opening(chromium, stack) as reader:
        reader.open(reader.share(q=question))
        reader.wait_for_answer(question)
        assert reader.page.locator("#chat .user.message").inner_text().strip() == question
        assert_text_only(reader.page)
        reader.assert_untroubled()


def test_hostile_edits_leave_a_phones_layout_whole(chromium: Browser, stack: Stack) -> None:
    with Reader.opening(chromium, stack, viewport=PHONE) as reader:
        for name in ("one long word", "very long", "stacked marks", "right to left"):
            reader.ask_and_wait(f"What is changing about {NAMES[name]}?")
        assert_text_only(reader.page)
        reader.assert_untroubled()
