"""The way back: from an answer's card to the raw event, and what each step did to it."""

import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.reader import Reader
from tests.stacks import Stack, eventually

pytestmark = pytest.mark.e2e


def test_a_trace_shows_every_layer_and_what_was_changed(reader: Reader, page: Page, stack: Stack) -> None:
    reader.ask_and_wait("What is changing about climate change?")
    trace = reader.cards.first.get_by_role("button", name="trace")
    doc_id = trace.get_attribute("data-trace")
    address = f"http://127.0.0.1:{stack.settings.api_port}/v1/documents/{doc_id}/trace"
    # the lake takes an edit in some seconds after the index
    eventually(lambda: httpx.get(address).json()["silver"]["status"] == "found")
    trace.click()
    dialog = page.get_by_role("dialog")
    for layer in ("gold", "silver", "bronze", "raw"):
        expect(dialog.get_by_role("region", name=layer)).to_be_visible()

    found = httpx.get(address).json()
    raw = found["raw"]
    expect(dialog).to_contain_text(f"partition {raw['partition']}, offset {raw['offset']}")
    expect(dialog.locator(".command code")).to_have_text(found["replay"])
    expect(dialog.get_by_role("region", name="gold").locator("div.added dt")).to_contain_text(["doc_id"])
    expect(dialog.get_by_role("region", name="silver").locator("div.added dt")).to_contain_text(["user_kind"])
    dialog.get_by_text("as received", exact=True).click()
    assert json.loads(dialog.locator("pre").inner_text()) == json.loads(raw["payload"])

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(trace).to_be_focused()
