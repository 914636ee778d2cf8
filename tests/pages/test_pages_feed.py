"""The live feed: edits as they come, that can be paused, filtered, and seen to be about a question."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.reader import Reader
from tests.stacks import Stack, eventually

pytestmark = pytest.mark.e2e

ABOUT = "What is changing about climate change?"


def newest(page: Page) -> str | None:
    return page.locator("live-feed .edit").first.get_attribute("data-event")


def test_edits_arrive_newest_first_with_their_rate(reader: Reader, page: Page) -> None:
    first = newest(page)
    eventually(lambda: newest(page) != first, 20)
    expect(page.locator("live-feed .rate")).to_have_text(re.compile(r"[1-9]\d*\.\d edits/s"))

    times = page.locator("live-feed .edit time-ago").evaluate_all(
        "all => all.map(time => Date.parse(time.dateTime ?? time.getAttribute('datetime')))"
    )
    assert times[0] >= times[-1]
    assert page.locator("live-feed .edit").count() <= 60


def test_a_paused_feed_stands_still_and_says_what_it_skipped(reader: Reader, page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    paused = newest(page)
    note = page.locator(".feed-note")
    expect(note).to_have_text(re.compile(r"([3-9]\d\d|\d{4,}) edits since you paused"))
    assert newest(page) == paused
    # what stands still grows older all the same
    age = page.locator("live-feed .edit time-ago").first
    before = age.inner_text()
    expect(age).not_to_have_text(before)

    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    eventually(lambda: newest(page) != paused, 20)
    expect(note).to_have_text(re.compile(r"\d+ edits skipped while you were away"))


def test_a_page_that_nobody_looked_at_says_how_many_edits_it_skipped(reader: Reader, page: Page, stack: Stack) -> None:
    def look(hidden: bool) -> None:
        page.evaluate(
            """hidden => {
                Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    def metric(port: int, name: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)", text, re.MULTILINE))

    look(hidden=True)
    eventually(lambda: metric(stack.settings.ui_port, "freshet_ui_pages") == 0, 30)
    before = metric(stack.settings.producer_metrics_port, "freshet_producer_received_total")
    eventually(lambda: metric(stack.settings.producer_metrics_port, "freshet_producer_received_total") > before + 300)
    look(hidden=False)
    expect(page.locator(".feed-note")).to_have_text(re.compile(r"\d+ edits skipped while you were away"))
    first = newest(page)
    eventually(lambda: newest(page) != first, 20)


def test_the_feed_shows_what_its_filters_let_through(reader: Reader, page: Page) -> None:
    page.locator("live-feed select[name=user]").select_option("bot")
    page.locator("live-feed input[name=wiki]").fill("wikidata")
    before = newest(page)
    eventually(lambda: newest(page) not in (None, before), 30)
    rows = page.locator("live-feed .edit")
    assert set(rows.locator(".wiki").all_inner_texts()) == {"wikidatawiki"}
    assert all("bot" in text for text in rows.locator(".facts").all_inner_texts())


def test_edits_that_are_about_the_question_stand_out(reader: Reader, page: Page) -> None:
    reader.ask_and_wait(ABOUT)
    page.get_by_label("only matching my question").check()
    matching = page.locator("live-feed .edit.matching")
    expect(matching.first).to_be_visible()
    assert page.locator("live-feed .edit:not(.matching)").count() == 0


def test_the_badge_says_how_fresh_it_is_and_the_notice_what_the_edits_are(reader: Reader, page: Page) -> None:
    expect(reader.badge).to_have_class("good")
    expect(reader.badge).to_have_text(re.compile(r"newest searchable edit: \d+(\.\d)? s ago"))
    expect(page.locator("#notice")).to_contain_text("Simulated edits, not real ones")
