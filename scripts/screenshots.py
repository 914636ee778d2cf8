"""Pictures of every view of the pages, from simulated edits: `make screenshots`.

A stack of its own is started and ended. The pictures go to `.screenshots/`, which is not kept; one of them is the
README's, which is.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from playwright.sync_api import Browser, Page

from freshet.settings import CHECKOUT, Settings, Source
from local.bench.backlog import until_documents
from local.bench.temporary import temporary_stack
from local.browser import browser
from local.cli import console
from local.supervisor import Supervisor

FOLDER: Final = CHECKOUT / ".screenshots"
PICTURE: Final = CHECKOUT / "docs" / "pictures" / "pages.png"
OF_THE_README: Final = "answer-desktop-light"
SIZES: Final[Mapping[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1440, "height": 1300}},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True},
}
SCHEMES: Final = ("light", "dark")
DOCUMENTS: Final = 600
QUESTION: Final = "What is changing about climate change in the last hour?"
NO_ANSWER: Final = "recipe for lasagna with béchamel"
PAUSE_MS: Final = 1_500


def empty(page: Page) -> None:
    """Before anything was asked."""
    page.locator(".example:visible").first.wait_for()


def answer(page: Page) -> None:
    """An answer with its sources, and the feed with what is about it."""
    _ask(page, QUESTION)
    page.locator(".card").first.wait_for()
    page.evaluate("() => document.activeElement.blur()")


def trace(page: Page) -> None:
    """The way of an edit."""
    answer(page)
    page.locator("[data-trace]").first.click()
    page.locator("#trace .layers").wait_for()


def refused(page: Page) -> None:
    """A question that no edit answers."""
    page.get_by_text("Filters", exact=True).click()
    _ask(page, NO_ANSWER)
    page.get_by_text("To widen it").wait_for()


def pipeline(page: Page) -> None:
    """How the pipeline does."""
    page.get_by_role("tab", name="Pipeline").click()
    page.locator("#pipeline-tables table").first.wait_for()


def away(page: Page) -> None:
    """The API does not answer; it was stopped before."""
    page.get_by_text("the API is away").wait_for()
    page.locator("#question textarea").fill(QUESTION)
    page.locator("#question textarea").press("Enter")
    page.get_by_text("Trying again in").wait_for()


VIEWS: Final[tuple[Callable[[Page], None], ...]] = (empty, answer, trace, refused, pipeline)


def main() -> None:
    """Make them all."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    given = {"source": Source.SIMULATED, "rate": 40, "airflow": True, "lake_interval_s": 5}
    with temporary_stack(lambda _: None, overrides=given) as settings, browser() as opened:
        with psycopg.connect(settings.conninfo, autocommit=True) as store:
            until_documents(store, DOCUMENTS, console.say)
        for view in VIEWS:
            _take(opened, settings, view)
        Supervisor(settings).stop("api")
        _take(opened, settings, away)
    PICTURE.parent.mkdir(exist_ok=True)
    shutil.copy(FOLDER / f"{OF_THE_README}.png", PICTURE)


def _take(opened: Browser, settings: Settings, view: Callable[[Page], None]) -> None:
    for size, context in SIZES.items():
        for scheme in SCHEMES:
            with _page(opened, {**context, "color_scheme": scheme}) as page:
                page.goto(f"http://127.0.0.1:{settings.ui_port}/")
                page.locator("live-feed .edit").first.wait_for()
                view(page)
                # until what arrives beside it has arrived
                page.wait_for_timeout(PAUSE_MS)
                name = f"{view.__name__}-{size}-{scheme}"
                page.screenshot(path=FOLDER / f"{name}.png", full_page=view is not trace and size == "phone")
                console.say(f"{FOLDER.name}/{name}.png")


@contextmanager
def _page(opened: Browser, context: Mapping[str, Any]) -> Iterator[Page]:
    made = opened.new_context(**context)
    try:
        yield made.new_page()
    finally:
        made.close()


def _ask(page: Page, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")


if __name__ == "__main__":
    main()
