"""Why a record can be rejected, and where. Every rejected record carries exactly one reason."""

from enum import StrEnum


class Stage(StrEnum):
    """Who rejected it."""

    PRODUCER = "producer"
    TRANSFORM = "transform"
    INDEXER = "indexer"


class Reason(StrEnum):
    """The closed set of reasons: a metric label, a header, a column."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_EVENT_ID = "missing_event_id"
    MISSING_EVENT_TIME = "missing_event_time"
    BAD_EVENT_TIME = "bad_event_time"
    MISSING_WIKI = "missing_wiki"
    MISSING_TYPE = "missing_type"
    TOO_LARGE = "too_large"
    BAD_DOCUMENT = "bad_document"
    """A record of wiki.gold that is no document: the indexer logs it and leaves it out."""
