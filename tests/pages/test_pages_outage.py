"""What a reader sees while something is away, and that it comes back by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pages.reader import RESTART_MS, Reader
from tests.stacks import Stack

pytestmark = pytest.mark.e2e

ABOUT = "What is changing about climate change?"


def test_an_api_that_dies_is_said_waited_for_and_found_again(reader: Reader, page: Page, stack: Stack) -> None:
    expect(reader.badge).to_have_class("good")
    stack.kill("api")
    expect(reader.badge).to_have_class("bad")
    expect(reader.badge).to_contain_text("the API is away")
    reader.ask(ABOUT)
    expect(reader.answer).to_contain_text(re.compile("does not answer.*Trying again in"))

    reader.wait_for_answer(ABOUT, RESTART_MS)
    expect(reader.answer).to_contain_text("[1]")
    expect(reader.badge).to_have_class("good")
    first = page.locator("live-feed .edit").first.get_attribute("data-event")
    expect(page.locator("live-feed .edit").first).not_to_have_attribute("data-event", first or "")


def test_a_page_whose_server_died_comes_back_by_itself_with_its_question(
    reader: Reader, page: Page, stack: Stack
) -> None:
    reader.ask_and_wait(ABOUT)
    stack.kill("ui")
    expect(reader.badge).to_contain_text("this page lost its server")
    expect(reader.badge).to_have_class("good", timeout=RESTART_MS)
    reader.wait_for_answer(ABOUT)
    expect(page.locator("live-feed .edit").first).to_be_visible()


def test_a_pipeline_that_stands_still_says_since_when_and_what_is_being_done(
    reader: Reader, page: Page, stack: Stack
) -> None:
    page.get_by_role("tab", name="Pipeline").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="indexer", exact=True))
    expect(row).to_contain_text("ready")
    indexer = stack.process("indexer")
    assert indexer is not None
    indexer.suspend()
    try:
        expect(row).to_contain_text("not ready")
        expect(reader.badge).to_have_class(re.compile("bad|fair"))
        expect(reader.badge).to_contain_text("indexer")
    finally:
        indexer.resume()
    expect(row).to_contain_text("ready")
    expect(reader.badge).to_have_class("good")


def test_a_model_that_dies_leaves_an_answer_that_says_what_it_is(reader: Reader, page: Page, model) -> None:
    model.end()
    try:
        reader.ask_and_wait(ABOUT)
        expect(page.locator("#grounds")).to_contain_text("extractive")
        expect(reader.answer).to_contain_text("[1]")
    finally:
        model.start()
