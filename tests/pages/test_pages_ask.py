"""Asking: an answer is written before one's eyes, its marks lead to its sources, and it can be narrowed and rated."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.reader import Reader
from tests.stacks import Stack, eventually

pytestmark = pytest.mark.e2e

ABOUT = "What is changing about climate change?"
NARROWED = "What is changing about volcanoes in the last hour?"
UNANSWERABLE = "recipe for lasagna with béchamel"


def test_an_answer_is_written_before_ones_eyes_and_cites_its_sources(reader: Reader, page: Page) -> None:
    # what stands in the last message, whenever it changes
    page.evaluate("""() => {
        window.lengths = [];
        new MutationObserver(() => {
            const messages = document.querySelectorAll("#chat .bot.message");
            window.lengths.push(messages.length ? messages[messages.length - 1].textContent.length : 0);
        }).observe(document.getElementById("chat"), { subtree: true, childList: true, characterData: true });
    }""")
    reader.ask(ABOUT)
    expect(page.locator("#stop")).to_be_visible()
    reader.question.fill("The next question, typed meanwhile")
    reader.wait_for_answer(ABOUT)
    expect(reader.question).to_have_value("The next question, typed meanwhile")

    assert len({length for length in page.evaluate("() => window.lengths") if length}) >= 5
    expect(reader.answer).to_contain_text("[1]")
    assert reader.cards.count() == len(set(re.findall(r"\[(\d+)\]", reader.answer.inner_text())))
    expect(page.locator("#grounds")).to_contain_text("Written by")
    expect(page.locator("#stop")).to_be_hidden()


def test_a_mark_of_an_answer_leads_to_its_card(reader: Reader, page: Page) -> None:
    reader.ask_and_wait(ABOUT)
    reader.answer.get_by_text("[2]").first.click()

    card = page.locator("#source-0-2")
    expect(card).to_be_focused()
    expect(card).to_be_in_viewport()


def test_an_answer_can_be_stopped_and_tried_again(reader: Reader, page: Page, stack: Stack) -> None:
    def open_answers() -> float:
        text = httpx.get(f"http://127.0.0.1:{stack.settings.ui_port}/metrics").text
        return float(re.findall(r"^freshet_ui_answering (\S+)", text, re.MULTILINE)[0])

    reader.ask(ABOUT)
    page.locator("#stop").click()
    expect(reader.answer).to_contain_text("Stopped.")
    eventually(lambda: open_answers() == 0)

    page.locator("#retry").click()
    reader.wait_for_answer(ABOUT)
    expect(page.locator("#chat .user.message")).to_have_count(1)
    expect(reader.answer).to_contain_text("[1]")


def test_a_follow_up_keeps_what_was_said_and_every_answers_sources(reader: Reader, page: Page) -> None:
    reader.ask_and_wait(ABOUT)
    reader.ask_and_wait("And what about it on the Spanish Wikipedia?")

    expect(page.locator("#chat .user.message")).to_have_count(2)
    expect(page.locator(".answer-sources")).to_have_count(2)
    page.locator("#chat .bot.message").first.get_by_text("[1]").first.click()
    expect(page.locator("#source-0-1")).to_be_focused()
    page.locator("#clear").click()
    expect(page.locator("#chat .user.message")).to_have_count(0)
    expect(page.locator(".answer-sources")).to_have_count(0)


def test_a_link_brings_the_question_and_its_filters_to_somebody_else(
    reader: Reader, page: Page, chromium: Browser, stack: Stack
) -> None:
    reader.open_filters()
    page.get_by_label("Wikis").fill("eswiki")
    page.get_by_label("Wikis").press("Enter")
    reader.ask_and_wait(ABOUT)
    assert {card.locator(".wiki").inner_text() for card in reader.cards.all()} == {"eswiki"}
    assert "wiki=eswiki" in page.url

    with Reader.opening(chromium, stack, page.url.partition("/?")[2].join(["?", ""])) as other:
        other.wait_for_answer(ABOUT)
        assert {card.locator(".wiki").inner_text() for card in other.cards.all()} == {"eswiki"}
        expect(other.page.locator(".chip")).to_have_text(["eswiki"])
        other.assert_untroubled()


def test_the_time_in_a_question_is_shown_as_a_filter_that_can_be_taken_away(reader: Reader, page: Page) -> None:
    reader.ask_and_wait(NARROWED)
    expect(page.locator(".chip")).to_contain_text("showing “in the last hour”, from your question")

    page.locator("#all-times").click()
    expect(page.locator(".chip")).to_have_count(0)
    reader.wait_for_answer(NARROWED)
    expect(page.locator("#all-times")).to_be_hidden()


def test_who_finds_nothing_is_told_what_was_searched_and_how_to_widen_it(reader: Reader, page: Page) -> None:
    reader.open_filters()
    page.get_by_label("Languages").fill("en")
    page.get_by_label("Languages").press("Enter")
    reader.ask_and_wait(UNANSWERABLE)

    grounds = page.locator("#grounds")
    expect(grounds).to_contain_text("not answered")
    expect(grounds).to_contain_text(re.compile(r"Searched [\d,]+ edits"))
    expect(grounds).to_contain_text("take filters away (language en)")
    assert reader.cards.count() == 0


def test_a_thumb_and_words_are_found_in_postgres(reader: Reader, page: Page, stack: Stack) -> None:
    reader.ask_and_wait(ABOUT)
    page.get_by_role("button", name="Dislike").click()
    words = page.get_by_label("What was right or wrong with it?")
    words.fill("The second edit is about something else.")
    page.get_by_role("button", name="Send").click()
    expect(words).to_be_hidden()

    def kept() -> list[tuple[str, str | None]]:
        with psycopg.connect(stack.settings.conninfo) as store:
            query = "SELECT rating, comment FROM feedback ORDER BY feedback_id DESC LIMIT 2"
            return store.execute(query).fetchall()

    eventually(lambda: kept() == [("down", "The second edit is about something else."), ("down", None)], 20)


def test_the_examples_are_about_pages_that_are_busy_now(reader: Reader, page: Page, stack: Stack) -> None:
    example = page.locator(".example:visible").first
    text = example.inner_text()
    stats = httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/v1/stats", params={"most": 100}).json()
    assert text in {f"What is changing about {one['title']}?" for one in stats["pages"]}

    example.click()
    reader.wait_for_answer(text)


def test_times_are_in_the_readers_zone(chromium: Browser, stack: Stack) -> None:
    shown = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        with Reader.opening(chromium, stack, timezone_id=zone, locale="en-GB") as reader:
            reader.ask_and_wait(ABOUT)
            time = reader.cards.first.locator("time-ago")
            utc = datetime.fromisoformat(str(time.get_attribute("datetime")))
            shown.append((time.get_attribute("title"), utc.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S")))
    assert all(clock in str(title) for title, clock in shown)


def test_an_answer_is_copied_with_the_addresses_of_its_sources(chromium: Browser, stack: Stack) -> None:
    with Reader.opening(chromium, stack, permissions=["clipboard-read", "clipboard-write"]) as reader:
        reader.ask_and_wait(ABOUT)

        def copied() -> str:
            return reader.page.evaluate("() => navigator.clipboard.readText()")

        reader.page.get_by_role("button", name="Copy the answer").click()
        expect(reader.page.get_by_role("button", name="Copied")).to_be_visible()
        assert "[1] " in copied()
        assert "https://" in copied()
        reader.page.get_by_role("button", name="Copy a link to the question").click()
        eventually(lambda: copied() == reader.page.url, 10)
