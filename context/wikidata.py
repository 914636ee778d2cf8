"""Wikidata, or whoever speaks like it: one request at a time, and every way in which it may fail named."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import httpx

from context import answer, request
from context.answer import Answers
from context.failures import NotAnsweredError, Outcome
from freshet.context_source import ORIGIN_HEADER, origin_of
from freshet.contract.pages import Page
from freshet.etiquette import retry_after_s, user_agent
from freshet.settings import Settings

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of an answer: fifty pages have some tens of kilobytes."""

_STATUS: Final = {429: Outcome.THROTTLED, 503: Outcome.UNAVAILABLE}


@dataclass(frozen=True)
class Reply:
    """What was answered, and whose answer it is."""

    answers: Answers
    origin: str


class Wikidata:
    """The API at one address. For one thread."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._languages = settings.context_languages
        self._maxlag_s = settings.context_maxlag_s
        self._timeout_s = settings.context_timeout_s
        headers = {"User-Agent": user_agent(settings.contact), "Accept-Encoding": "gzip", "Accept": "application/json"}
        self._client = httpx.Client(headers=headers, timeout=settings.context_timeout_s, trust_env=False)

    def fitting(self, pages: Sequence[Page]) -> int:
        """How many of these pages, from the first on, one request takes."""
        return request.fitting(self._url, pages, self._languages, self._maxlag_s)

    def ask(self, pages: Sequence[Page]) -> Reply:
        """What is said of these pages. Raises NotAnsweredError, within little more than the time that is set."""
        address = request.url(self._url, pages, self._languages, self._maxlag_s)
        try:
            with self._client.stream("GET", address) as response:
                _check(response)
                body = self._body(response)
        except httpx.TimeoutException as error:
            raise NotAnsweredError(Outcome.TIMEOUT, f"nothing within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotAnsweredError(Outcome.UNREACHABLE, str(error) or type(error).__name__) from error
        try:
            answers = answer.read(body, frozenset(pages), self._languages)
        except NotAnsweredError as error:
            error.wait_s = _wish_s(response)
            raise
        if not answers:
            raise NotAnsweredError(Outcome.WRONG, "none of the pages that were asked about is in the answer")
        return Reply(answers, origin_of(self._url, response.headers.get(ORIGIN_HEADER)))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _body(self, response: httpx.Response) -> bytes:
        """All of it, unless it is too long or takes too long: time between two pieces is all that the client counts."""
        until = monotonic() + self._timeout_s
        parts = bytearray()
        for part in response.iter_bytes():
            parts += part
            if len(parts) > MOST_BYTES:
                raise NotAnsweredError(Outcome.BROKEN, f"an answer of more than {MOST_BYTES} bytes")
            if monotonic() > until:
                raise NotAnsweredError(Outcome.TIMEOUT, f"not all of the answer within {self._timeout_s:g} s")
        return bytes(parts)


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if outcome := _STATUS.get(status):
        raise NotAnsweredError(outcome, f"HTTP {status}", _wish_s(response))
    if status >= 500:
        raise NotAnsweredError(Outcome.ERROR, f"HTTP {status}", _wish_s(response))
    if status != 200:
        advice = ": set FRESHET_CONTACT to an address or URL that the User-Agent can name" if status == 403 else ""
        raise NotAnsweredError(Outcome.REFUSED, f"HTTP {status}{advice}", _wish_s(response))
    kind = response.headers.get("Content-Type", "")
    if "json" not in kind:
        raise NotAnsweredError(Outcome.BROKEN, f"not JSON but {kind or 'something unnamed'}")


def _wish_s(response: httpx.Response) -> float:
    return retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
