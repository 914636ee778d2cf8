"""The connection to the event stream: opened, lost and opened again until told to stop."""

import random
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event

import httpx

from freshet.errors import PermanentError, TransientError
from freshet.etiquette import retry_after_s, user_agent
from freshet.settings import Settings
from freshet.telemetry import logs, metrics
from producer.frames import Frame, StreamClosedError, frames
from producer.resume import gap_s, rewound

CONNECT_TIMEOUT_S = 10.0
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
# No stream that is worth following is quiet for so long.
GAP_S = 30.0
THROTTLED = (429, 503)


class _NotServedError(TransientError):
    """The server answered, but not with the stream."""

    def __init__(self, text: str, outcome: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.outcome = outcome
        self.wait_s = wait_s


def backoff_s(failures: int, luck: float) -> float:
    """How long to wait after so many connections in a row without a frame, s. `luck` in 0..1 spreads the clients."""
    ceiling = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(failures, 10))
    return ceiling * (0.5 + luck / 2)


class Reader:
    """Reads one stream for ever, whatever becomes of its connections.

    It goes on behind the id `resume_from`; without one it begins at the time `since`, or else with what comes next.
    """

    def __init__(self, settings: Settings, resume_from: str | None, since: str | None = None) -> None:
        self._url = httpx.URL(settings.stream_url)
        self._since = since
        self.opened_at: float | None = None
        """When the connection was opened, by `time.monotonic`; None while there is none."""
        self._rewind_ms = settings.rewind_ms
        self._user_agent = user_agent(settings.contact)
        self._timeout = httpx.Timeout(CONNECT_TIMEOUT_S, read=settings.stall_timeout_s)
        self._last_id = resume_from
        self._stopping = Event()
        self._socket: socket.socket | None = None

    def frames(self) -> Iterator[Frame]:
        """The frames, in the order they come, until `stop`.

        Raises PermanentError when the server refuses us in a way that trying again cannot mend.
        """
        failures = 0
        with httpx.Client(timeout=self._timeout, trust_env=False, follow_redirects=True) as client:
            while not self._stopping.is_set():
                wait_s = 0.0
                try:
                    for frame in self._one_connection(client):
                        failures = -1
                        yield frame
                except _NotServedError as error:
                    wait_s = self._lost(error.outcome, error, error.wait_s)
                except httpx.ReadTimeout as error:
                    self._lost("stalled", error)
                except (StreamClosedError, httpx.RemoteProtocolError, httpx.ReadError) as error:
                    self._lost("closed", error)
                except httpx.TransportError as error:
                    self._lost("failed", error)
                failures += 1
                # A connection that brought frames and ended is ordinary life (every 15 minutes): go on at once.
                spread_s = backoff_s(failures, random.random()) if failures else 0.1 * random.random()  # noqa: S311
                self._stopping.wait(max(wait_s, spread_s))

    def stop(self) -> None:
        """End `frames` at once, from another thread, also while it waits for a silent server."""
        self._stopping.set()
        if (opened := self._socket) is not None:
            try:
                # Closing would leave the reading thread asleep; a shutdown wakes it. The class' own method, because
                # that of a TLS socket takes its state away under the reader.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)
            except OSError:
                logs.get().debug("the connection was gone already")

    def _one_connection(self, client: httpx.Client) -> Iterator[Frame]:
        # Only as long as no frame has come: servers throttle those who ask for the same history again and again.
        url = self._url.copy_merge_params({"since": self._since}) if self._since and not self._last_id else self._url
        with client.stream("GET", url, headers=self._headers()) as response:
            _check(response)
            self.opened_at = time.monotonic()
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            metrics.CONNECTIONS.labels("opened").inc()
            metrics.READY.set(1)
            asked = self._last_id
            logs.get().info("connected", url=str(url), last_event_id=self._last_id)
            try:
                # iter_raw gives the bytes as they arrive; nothing waits for more.
                for frame in frames(response.iter_raw()):
                    if self._stopping.is_set():
                        return
                    if asked and frame.id:
                        _count_gap(asked, frame.id)
                        asked = None
                    self._last_id = frame.id or self._last_id
                    yield frame
            finally:
                self._socket = self.opened_at = None

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent, "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._last_id:
            headers["Last-Event-ID"] = rewound(self._last_id, self._rewind_ms)
        return headers

    def _lost(self, outcome: str, error: Exception, wait_s: float = 0.0) -> float:
        if not self._stopping.is_set():
            metrics.CONNECTIONS.labels(outcome).inc()
            logs.get().info("disconnected", outcome=outcome, error=str(error) or type(error).__name__)
        return wait_s


def _count_gap(asked: str, first: str) -> None:
    """The stream keeps some days only: who was away for longer goes on later, and what was between is missing."""
    seconds = gap_s(asked, first)
    if seconds > GAP_S:
        metrics.RESUME_GAPS.inc()
        metrics.RESUME_GAP_SECONDS.inc(seconds)
        logs.get().error("the stream goes on later than asked: fill the gap with `freshet backfill`", seconds=seconds)


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in THROTTLED:
        wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        raise _NotServedError(f"the stream answers {status}: wait", "throttled", wait_s)
    if 400 <= status < 500:
        metrics.CONNECTIONS.labels("refused").inc()
        raise PermanentError(f"the stream refuses us with {status}: {_advice(status)}")
    if status != 200:
        raise _NotServedError(f"the stream answers {status}", "failed")
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("text/event-stream"):
        raise _NotServedError(f"not an event stream but {kind or 'something unnamed'}", "failed")


def _advice(status: int) -> str:
    match status:
        case 403:
            return "set FRESHET_CONTACT to an address or URL that the User-Agent can name"
        case 404:
            return "check FRESHET_STREAM_URL"
        case 400:
            return "the kept position does not fit this stream; give it another name by FRESHET_STREAM_ID"
        case _:
            return "see the server's documentation"
