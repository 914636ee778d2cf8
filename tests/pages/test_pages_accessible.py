"""Everybody can use it: axe-core finds nothing serious, and the keyboard alone is enough."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.pages.reader import DESKTOP, PHONE, Reader
from tests.stacks import Stack

pytestmark = pytest.mark.e2e

ABOUT = "What is changing about climate change?"


def serious(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(DESKTOP, "light", id="desktop-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(DESKTOP, "dark", id="desktop-dark", marks=pytest.mark.long),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_serious_in_any_view(
    chromium: Browser, stack: Stack, scheme: str, size: dict[str, int]
) -> None:
    with Reader.opening(chromium, stack, viewport=size, color_scheme=scheme, reduced_motion="reduce") as reader:
        page = reader.page
        reader.open_filters()
        reader.ask_and_wait(ABOUT)
        assert serious(page) == []
        reader.cards.first.get_by_role("button", name="trace").click()
        expect(page.get_by_role("region", name="raw")).to_be_visible()
        assert serious(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("tab", name="Pipeline").click()
        tables = page.locator("#pipeline-tables table")
        expect(tables.first).to_be_visible()
        # one that is wider than the page scrolls: by the keyboard too
        assert {table.get_attribute("tabindex") for table in tables.all()} == {"0"}
        assert serious(page) == []
        assert page.evaluate("() => document.scrollingElement.scrollWidth <= window.innerWidth")
        reader.assert_untroubled()


def test_the_keyboard_alone_is_enough(reader: Reader, page: Page) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
                return
        pytest.fail(f"the keyboard does not reach {selector}")

    tab_to("#question textarea")
    page.keyboard.type(ABOUT)
    page.keyboard.press("Enter")
    reader.wait_for_answer(ABOUT)
    tab_to("#sources [data-trace]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(".pause")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_dark_and_light_can_be_chosen_and_are_remembered(reader: Reader, page: Page) -> None:
    def dark() -> bool:
        return bool(page.evaluate("() => document.body.classList.contains('dark')"))

    assert not dark()
    page.get_by_role("button", name="switch between dark and light").click()
    assert dark()
    reader.open()
    assert dark()
