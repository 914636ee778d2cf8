"""What a freshness check measures. Where one of the three could not be asked, there is the reason, in words."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Owed:
    """Records of the log that a reader has still to do, and when the oldest of them was logged."""

    records: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class LogSeen:
    """The topics. The newest times are None of topics without a record; that of raw is when the source last spoke, what
    a backfill brings does not count.

    `unserved`: raw records that the serve query has still to do; `unindexed`: gold records that the indexer has still
    to do; `unlaked`: raw records that bronze does not have, None when the lake did not say. `received` and `rejected`
    are the records of the window.
    """

    raw_at: datetime | None
    silver_at: datetime | None
    gold_at: datetime | None
    unserved: Owed
    unindexed: Owed
    unlaked: Owed | None
    received: int
    rejected: int


@dataclass(frozen=True)
class StoreSeen:
    """When the newest document became searchable, and the texts whose vector is pending."""

    searchable_at: datetime | None
    pending: int
    pending_since: datetime | None


@dataclass(frozen=True)
class LakeSeen:
    """How far the lake has come.

    `logged_until`: the broker's time of bronze's newest record. `small_files` of gold could be put together; the oldest
    of them has been there since `small_since`.
    """

    committed_at: datetime | None
    logged_until: datetime | None
    small_files: int
    small_since: datetime | None


@dataclass(frozen=True)
class Observations:
    """All that was measured at one moment."""

    at: datetime
    log: LogSeen | str
    store: StoreSeen | str
    lake: LakeSeen | str
