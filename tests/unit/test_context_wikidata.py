"""Every way in which a request may fail has a name, and the wish of the server is heard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from context import wikidata
from context.failures import NOT_THE_PAGES, NotAnsweredError, Outcome
from context.wikidata import MOST_BYTES, Wikidata
from freshet.contract.pages import Page
from freshet.settings import load_settings

PAGES = [Page("itwiki", "Etna")]
MISSING = {"entities": {"-1": {"site": "itwiki", "title": "Etna", "missing": ""}}}
CLIENT = httpx.Client

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], Wikidata]:
    """Wikidata as this function answers."""

    def make(handler: Handler) -> Wikidata:
        transport = httpx.MockTransport(handler)
        monkeypatch.setattr(wikidata.httpx, "Client", lambda **given: CLIENT(transport=transport, **given))
        return Wikidata("https://www.wikidata.org/w/api.php", load_settings(contact="https://example.org/me"))

    return make


def failure(source: Wikidata) -> NotAnsweredError:
    with pytest.raises(NotAnsweredError) as caught:
        source.ask(PAGES)
    return caught.value


def test_who_asks_has_a_name_and_takes_what_is_compressed(served: Callable[[Handler], Wikidata]) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=MISSING)

    reply = served(answer).ask(PAGES)
    assert (reply.answers, reply.origin) == ({PAGES[0]: None}, "Wikidata")
    (request,) = asked
    assert request.headers["User-Agent"].startswith("Freshet/")
    assert "https://example.org/me" in request.headers["User-Agent"]
    assert request.headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "outcome", "blamed"),
    [
        (429, Outcome.THROTTLED, False),
        (503, Outcome.UNAVAILABLE, False),
        (403, Outcome.REFUSED, False),
        (404, Outcome.REFUSED, False),
        (301, Outcome.REFUSED, False),
        (414, Outcome.ERROR, True),
        (400, Outcome.ERROR, True),
        (500, Outcome.ERROR, True),
        (502, Outcome.ERROR, True),
    ],
)
def test_a_status_says_whether_the_pages_may_be_to_blame(
    served: Callable[[Handler], Wikidata], status: int, outcome: Outcome, blamed: bool
) -> None:
    error = failure(served(lambda _: httpx.Response(status, text="no")))
    assert error.outcome is outcome
    assert (outcome not in NOT_THE_PAGES) is blamed
    assert ("FRESHET_CONTACT" in str(error)) is (status == 403)


def test_the_server_is_left_alone_as_long_as_it_wishes(served: Callable[[Handler], Wikidata]) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for wish, seconds in (("7", 7), (date, 90), ("soon", 0), ("-5", 0)):
        for answer in (
            httpx.Response(429, headers={"Retry-After": wish}),
            httpx.Response(200, headers={"Retry-After": wish}, json={"error": {"code": "maxlag", "lag": 6}}),
        ):
            assert failure(served(lambda _, answer=answer: answer)).wait_s == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (httpx.ConnectError("refused"), Outcome.UNREACHABLE),
        (httpx.ReadTimeout("late"), Outcome.TIMEOUT),
        (httpx.ConnectTimeout("late"), Outcome.TIMEOUT),
        (httpx.RemoteProtocolError("cut"), Outcome.BROKEN),
    ],
)
def test_a_connection_that_fails_is_told_from_an_answer_that_does(
    served: Callable[[Handler], Wikidata], raised: httpx.HTTPError, outcome: Outcome
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise raised

    assert failure(served(fail)).outcome is outcome


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<h1>Bad Gateway</h1>"),
        httpx.Response(200, headers={"Content-Type": "application/json"}, content=b"x" * (MOST_BYTES + 1)),
        httpx.Response(200, headers={"Content-Type": "application/json"}, content=b""),
    ],
)
def test_what_is_no_json_or_has_no_end_is_no_answer(
    served: Callable[[Handler], Wikidata], answer: httpx.Response
) -> None:
    assert failure(served(lambda _: answer)).outcome is Outcome.BROKEN


def test_what_is_wrongly_compressed_is_no_answer(served: Callable[[Handler], Wikidata]) -> None:
    def wrong(_: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"not gzip"))

    assert failure(served(wrong)).outcome is Outcome.BROKEN
