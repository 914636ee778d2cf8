"""How long the page takes to be of use in a real browser that has never seen it."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from freshet.errors import PermanentError
from local.browser import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

Say = Callable[[str], None]

TIMEOUT_S: Final = 60

# asked at every frame, by the page's own clock, which begins with the navigation
USABLE: Final = """() => {
  const box = document.querySelector("#question textarea");
  const usable = box && !box.disabled && box.getClientRects().length;
  return usable && document.querySelector("live-feed .edit") ? performance.now() : null;
}"""


def measure(url: str, loads: int, errors: Counter[str], say: Say) -> dict[str, Any]:
    """Milliseconds from the navigation until the question box can be used and edits are shown, each time with an empty
    cache. `first_ms` is the first load after the server's start, which is none of the others."""
    with browser() as opened:
        took = []
        for number in range(loads + 1):
            context = opened.new_context()
            page = context.new_page()
            listen(page, errors)
            took.append(until_usable(page, url))
            say(f"load {number} of {loads}: {took[-1]:.0f} ms")
            context.close()
    return {**figures(took[1:]), "first_ms": round(took[0])}


def figures(took_ms: Sequence[float]) -> dict[str, int]:
    """Percentiles of some loads."""
    p50, p95 = np.percentile(took_ms, [50, 95])
    return {"p50": round(p50), "p95": round(p95), "max": round(max(took_ms)), "count": len(took_ms)}


def until_usable(page: "Page", url: str) -> float:
    """Go there and wait; milliseconds. Raises PermanentError when the page does not come to that."""
    from playwright.sync_api import Error

    try:
        page.goto(url, wait_until="commit", timeout=TIMEOUT_S * 1000)
        return float(page.wait_for_function(USABLE, timeout=TIMEOUT_S * 1000).json_value())
    except Error as error:
        raise PermanentError(f"the page did not show edits and a question box in {TIMEOUT_S} s: {error}") from error


def listen(page: "Page", errors: Counter[str]) -> None:
    """Count what the page's console calls an error."""
    page.on("pageerror", lambda error: errors.update([str(error)]))
    page.on("console", lambda message: errors.update([message.text] if message.type == "error" else []))
