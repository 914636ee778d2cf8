"""The settings of what is known about pages; a part of `freshet.settings.Settings`, where all are read."""

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from freshet.setting_values import ContextSource, Port, UserPath


class ContextSettings(BaseSettings):
    """Where descriptions of pages come from, and how it is asked for them."""

    context_source: ContextSource = Field(
        "auto",
        description="who describes pages: wikidata, none, or the address of an API that speaks like it; auto: wikidata"
        " with the live stream, else the stand-in if it has descriptions",
    )
    context_descriptions: UserPath | None = Field(
        None, description="NDJSON file of wiki, title, description that the stand-in has; empty: the simulation's"
    )
    context_languages: Annotated[tuple[str, ...], NoDecode] = Field(
        ("en",), min_length=1, max_length=10, description="languages of descriptions, the first that there is counts"
    )
    context_requests_per_minute: float = Field(60, gt=0, le=60_000, description="most requests for descriptions")
    context_timeout_s: float = Field(10, gt=0, le=120, description="how long such a request may take, s")
    context_maxlag_s: int = Field(5, ge=1, le=60, description="Wikidata is left alone while its replicas lag more, s")
    context_days: float = Field(30, gt=0, description="how old a description may be before it is asked again, days")
    context_missing_hours: float = Field(24, gt=0, description="how long a page without one is left alone, hours")
    context_metrics_port: Port = Field(18095, description="port of the metrics of `context`")
    wikidata_port: Port = Field(18094, description="port of the stand-in for Wikidata")

    @field_validator("context_languages", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
