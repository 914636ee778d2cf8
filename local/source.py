"""Which stream the producer reads: the live one, or the stand-in that serves a recording or a simulation."""

import httpx

from freshet import __version__
from freshet.context_source import WIKIDATA_URL, Origin, needs_stand_in, stand_in_origin, url_of
from freshet.settings import Settings, Source
from local.eventstreams.app import stream_identity

REACH_TIMEOUT_S = 5.0


def resolve(settings: Settings) -> tuple[Settings, str]:
    """Settings with a source that is not `auto`, and a stream URL to match; and a sentence that says which and why."""
    if settings.source is Source.AUTO:
        problem = _problem_of(settings.stream_url)
        if problem is None:
            return _with(settings, source=Source.LIVE), f"source: live edits from {settings.stream_url}"
        chosen = _with_stand_in(settings, Source.SIMULATED)
        return chosen, f"source: SIMULATED edits, because {settings.stream_url} cannot be reached ({problem})"
    if settings.source is Source.LIVE:
        return settings, f"source: live edits from {settings.stream_url}"
    chosen = _with_stand_in(settings, settings.source)
    if settings.source is Source.RECORDING:
        return chosen, f"source: RECORDED edits of {settings.recording}, {_pace(settings)}"
    return chosen, f"source: SIMULATED edits (seed {settings.simulator_seed}), {_pace(settings)}"


def described_by(settings: Settings) -> str:
    """A sentence that says who describes pages, where `resolve` has said where edits come from."""
    url = url_of(settings)
    if url is None:
        return "descriptions of pages: none"
    if needs_stand_in(settings) and stand_in_origin(settings) is Origin.RECORDED:
        return f"descriptions of pages: RECORDED ones of {settings.context_descriptions}"
    if needs_stand_in(settings):
        return "descriptions of pages: SIMULATED ones"
    return f"descriptions of pages: {'Wikidata, ' if url == WIKIDATA_URL else ''}{url}"


def _with_stand_in(settings: Settings, source: Source) -> Settings:
    url = f"http://127.0.0.1:{settings.eventstreams_port}/v2/stream/recentchange"
    chosen = _with(settings, source=source, stream_url=url)
    return _with(chosen, stream_id=stream_identity(chosen))


def _with(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def _pace(settings: Settings) -> str:
    return f"at {settings.rate:g} events/s" if settings.rate else "as fast as possible"


def _problem_of(url: str) -> str | None:
    headers = {"User-Agent": f"Freshet/{__version__} (reachability check)", "Accept": "text/event-stream"}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=REACH_TIMEOUT_S) as response:
            return None if response.is_success else f"HTTP {response.status_code}"
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
