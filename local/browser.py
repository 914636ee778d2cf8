"""A real browser for tests, pictures and measurements: the system's Chromium, which reaches this machine alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from freshet.errors import ConfigError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # whatever a page tries to reach is not found, unless it is here
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find() -> str | None:
    """Where the browser is, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser(*arguments: str) -> Iterator["Browser"]:
    """A browser until the block ends. Raises ConfigError that says how to get what is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ConfigError("playwright is missing: `make setup` installs it") from error
    path = find()
    if path is None:
        raise ConfigError("no Chromium: 'apt-get install chromium', 'dnf install chromium', or 'brew install chromium'")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        try:
            yield opened
        finally:
            opened.close()
