"""Who describes pages, by the settings: Wikidata, another API that speaks like it, the stand-in, or nobody."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from freshet.settings import Settings, Source

WIKIDATA_URL: Final = "https://www.wikidata.org/w/api.php"
PATH: Final = urlsplit(WIKIDATA_URL).path
ORIGIN_HEADER: Final = "Freshet-Origin"
"""In which the stand-in says what it is."""


class Origin(StrEnum):
    """Who said what is known of a page; the host of any other API stands for itself."""

    WIKIDATA = "Wikidata"
    SIMULATED = "simulated"
    RECORDED = "recorded descriptions"


LICENCES: Final[Mapping[str, str]] = {Origin.WIKIDATA: "CC0"}
"""Under which somebody says it; nothing is known of the others' licences."""


def url_of(settings: Settings) -> str | None:
    """The API that is asked; None for nobody. A source of edits that is still `auto` is taken for the live stream."""
    match settings.context_source:
        case "none":
            return None
        case "wikidata":
            return WIKIDATA_URL
        case "auto":
            return _automatic(settings)
        case url:
            return url


def stand_in_url(settings: Settings) -> str:
    """The stand-in of the embedded stack."""
    return f"http://127.0.0.1:{settings.wikidata_port}{PATH}"


def needs_stand_in(settings: Settings) -> bool:
    """Whether the embedded stack's stand-in is who is asked."""
    return url_of(settings) == stand_in_url(settings)


def origin_of(url: str, said: str | None) -> str:
    """Whose answer it is. `said` is the answer's ORIGIN_HEADER, by which a stand-in cannot call itself Wikidata."""
    host = urlsplit(url).hostname or url
    if host == urlsplit(WIKIDATA_URL).hostname:
        return Origin.WIKIDATA
    return said if said in (Origin.SIMULATED, Origin.RECORDED) else host


def stand_in_origin(settings: Settings) -> Origin:
    """Whose descriptions the stand-in has."""
    return Origin.RECORDED if settings.context_descriptions else Origin.SIMULATED


def _automatic(settings: Settings) -> str | None:
    if settings.source in (Source.LIVE, Source.AUTO):
        return WIKIDATA_URL
    if settings.source is Source.SIMULATED or settings.context_descriptions:
        return stand_in_url(settings)
    return None
