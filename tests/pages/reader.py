"""Somebody who reads and asks, in a browser that notices whatever it should not see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.stacks import Stack

PATIENCE_MS = 30_000
RESTART_MS = 120_000
"""How long a process that was killed may take until it is there again, on a machine that is busy."""
DESKTOP = {"width": 1400, "height": 1000}
PHONE = {"width": 390, "height": 844}


@dataclass
class Reader:
    """`troubles` are errors of scripts, dialogs, and requests to anywhere else."""

    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def opening(cls, browser: Browser, stack: Stack, query: str = "", **context: Any) -> Iterator["Reader"]:
        """The page, open in a browser without a past, until the block ends."""
        address = f"http://127.0.0.1:{stack.settings.ui_port}/"
        opened = browser.new_context(**{"viewport": DESKTOP, **context})
        try:
            reader = cls(_page(opened), address)
            reader.watch()
            reader.open(query)
            yield reader
        finally:
            opened.close()

    def watch(self) -> None:
        """Notice what should not happen."""
        here = urlsplit(self.address).netloc

        def requested(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != here:
                self.troubles.append(f"a request to {url}")

        def asked(dialog: Any) -> None:
            self.troubles.append(f"a dialog: {dialog.message}")
            dialog.dismiss()

        self.page.on("request", lambda request: requested(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(f"a script failed: {error}"))
        self.page.on("dialog", asked)
        self.page.context.on("page", lambda other: self.troubles.append(f"a window opened: {other.url}"))

    def assert_untroubled(self) -> None:
        """Nothing of it happened."""
        assert not self.troubles, self.troubles

    def open(self, query: str = "") -> None:
        """Go to the page's address, and wait until it lives."""
        self.page.goto(self.address + query)
        expect(self.question).to_be_editable()
        expect(self.page.locator("live-feed .edit").first).to_be_visible()

    def share(self, **query: str) -> str:
        """The query of an address."""
        return f"?{urlencode(query)}"

    def open_filters(self) -> None:
        """Open the filters, and look at them: Gradio sets what is in an accordion once more in the frame after the one
        in which it opens, and what was chosen before a frame was drawn would be gone."""
        self.page.get_by_text("Filters", exact=True).click()
        expect(self.page.get_by_label("Wikis")).to_be_visible()
        self.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    def ask(self, question: str) -> None:
        """Ask, and return at once."""
        self.question.fill(question)
        self.question.press("Enter")

    def ask_and_wait(self, question: str) -> None:
        """Ask, and wait for the whole answer."""
        self.ask(question)
        self.wait_for_answer(question)

    def wait_for_answer(self, question: str, patience_ms: int = PATIENCE_MS) -> None:
        """Wait until this question's answer stands there with all that belongs to it."""
        asked = self.page.locator(f"asked-question[data-question={_quoted(question)}]")
        expect(asked).to_be_attached(timeout=patience_ms)
        expect(self.page.locator("#retry")).to_be_visible()

    @property
    def question(self) -> Locator:
        """The question box."""
        return self.page.locator("#question textarea")

    @property
    def answer(self) -> Locator:
        """The last message of the chat."""
        return self.page.locator("#chat .bot.message").last

    @property
    def cards(self) -> Locator:
        """The cards of the newest answer."""
        return self.page.locator(".answer-sources").first.locator(".card")

    @property
    def badge(self) -> Locator:
        """How fresh it is."""
        return self.page.locator("freshness-badge")


def _page(context: BrowserContext) -> Page:
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    return context.new_page()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
