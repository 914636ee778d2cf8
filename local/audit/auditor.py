"""Fills the books from the stores, stage by stage. Each `read_...` says how much its stage still lacks."""

import json
from typing import Any

from freshet import log
from freshet.contract import topics
from freshet.contract.rejections import Stage
from freshet.contract.removals import Origin
from freshet.settings import Settings
from local.audit import reading
from local.audit.ledger import Books, Coordinates, Fate, identify
from local.audit.reading import Cut, TopicReader

RAW_AT = ["raw_partition", "raw_offset"]
RULED_BY = ("type", "namespace", "user_kind", "wiki", "title")


class Auditor:
    """One audit: the readers of the topics, the cut, and the books."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.books = Books(served=reading.served(settings))
        names = (topics.RAW, topics.SILVER, topics.GOLD, topics.REJECTED)
        self._readers = {name: TopicReader(settings, name) for name in names}
        self.books.log_begins = self._readers[topics.RAW].start
        self._raw_cut: Cut = {}
        self._dead_letters_cut: Cut = {}

    def close(self) -> None:
        """Let the connections go."""
        for reader in self._readers.values():
            reader.close()

    def read_log(self) -> int:
        """The raw records and the producer's dead letters; lacking are the served frames that are neither."""
        if not self.books.raw:
            self._read_let_go()
        for message in self._readers[topics.RAW].advance():
            self.books.raw[Coordinates(*log.place(message))] = identify(message.value())
        self._read_rejected()
        if self.books.served is None:
            return 0
        kept = {record.event_id for record in self.books.raw.values()}
        frames = len(set(self.books.dead_letter_topic.values()))
        return len(self.books.served.events - kept) + max(0, self.books.served.malformed - frames)

    def cut_here(self) -> None:
        """Look at nothing that came later than what is read by now."""
        self._raw_cut = dict(self._readers[topics.RAW].position)
        self._dead_letters_cut = dict(self._readers[topics.REJECTED].position)

    def read_lake(self) -> int:
        """All layers; lacking is what the log has and bronze, silver or gold have not. A batch writes them in turn."""
        books = self.books
        self._read_removed()
        self._read_bronze()
        self._read_rejected_layer()
        self._read_silver()
        books.gold.clear()
        for row in self._rows("gold", ["doc_id", *RAW_AT], self._raw_cut, *RAW_AT):
            books.gold[row["doc_id"]] += 1
        return (
            sum(not books.taken_out(where) for where in set(books.raw) - set(books.bronze))
            + len(set(books.dead_letter_topic) - set(books.dead_letters))
            + sum(books.fate(where) is Fate.LOST for where in books.raw)
            + len(books.belongs_in_gold - books.removed - set(books.gold))
        )

    def read_topics(self) -> int:
        """The topics that serve writes; lacking are the lake's rows that they do not have."""
        books = self.books
        for topic, key, held in (
            (topics.SILVER, "event_id", books.silver_topic),
            (topics.GOLD, "doc_id", books.gold_topic),
        ):
            for message in self._readers[topic].advance():
                row = json.loads(message.value() or b"{}")
                if "removal" in row:
                    continue
                if row["raw_offset"] < self._raw_cut.get(row["raw_partition"], 0):
                    (held.discard if row.get("deleted") else held.add)(row[key])
        self._read_rejected()
        return (
            len(books.events_in_log - books.silver_topic - books.was_rejected)
            + len((set(books.gold) & books.events_in_log) - books.gold_topic)
            + len(books.rejected_in_log - books.rejected_topic - set(books.was_silver))
        )

    def read_index(self) -> int:
        """The documents of the store; lacking are the rows of gold that are none."""
        books = self.books
        self._read_removed()
        for held in (books.documents, books.embedded, books.pending):
            held.clear()
        for doc_id, embedded, pending in reading.documents(self.settings, self._raw_cut):
            books.documents[doc_id] += 1
            if embedded:
                books.embedded.add(doc_id)
            elif pending:
                books.pending.add(doc_id)
        return len(set(books.gold) - books.removed - set(books.documents))

    def _read_removed(self) -> None:
        """What was removed by now: the longer one looks, the more."""
        for one in reading.removed(self.settings):
            self.books.removed.add(one.event_id)
            if one.origin == Origin.HAND:
                self.books.removed_by_hand.add(one.event_id)
                self.books.removed_places.add(Coordinates(one.raw_partition, one.raw_offset))

    def _read_bronze(self) -> None:
        """Bronze, and what only the lake still has."""
        books = self.books
        books.bronze.clear()
        for row in self._rows("bronze", ["partition", "offset"], self._raw_cut, "partition", "offset"):
            books.bronze[Coordinates(row["partition"], row["offset"])] += 1
        self._read_let_go()

    def _read_let_go(self) -> None:
        """From the lake the raw records and the producer's dead letters that the broker has let go."""
        books = self.books
        begin, begin_letters = (self._readers[name].start for name in (topics.RAW, topics.REJECTED))
        if any(begin.values()):
            for row in self._rows("bronze", ["partition", "offset", "value"], begin, "partition", "offset"):
                books.raw[Coordinates(row["partition"], row["offset"])] = identify(row["value"])
        if any(begin_letters.values()):
            columns = ["partition", "offset", "stage", "payload", "received_at"]
            for row in self._rows("rejected", columns, begin_letters, "partition", "offset"):
                if row["stage"] == Stage.PRODUCER:
                    # The lake has no frame's name. One that came twice was received twice, and counts as two here.
                    name = f"{row['received_at']} {hash(row['payload'])}"
                    books.dead_letter_topic[Coordinates(row["partition"], row["offset"])] = name

    def _read_silver(self) -> None:
        books = self.books
        for held in (books.silver, books.silver_at, books.belongs_in_gold):
            held.clear()
        for row in self._rows("silver", ["event_id", *RULED_BY, *RAW_AT], self._raw_cut, *RAW_AT):
            books.silver[row["event_id"]] += 1
            books.silver_at[row["event_id"]] = Coordinates(row["raw_partition"], row["raw_offset"])
            if self.settings.document_rule.admits(**{name: row[name] for name in RULED_BY}):
                books.belongs_in_gold.add(row["event_id"])

    def _rows(self, layer: str, columns: list[str], cut: Cut, partition: str, offset: str) -> list[dict[str, Any]]:
        return reading.below(reading.table(self.settings, layer, columns), cut, partition, offset)

    def _read_rejected(self) -> None:
        cut = self._dead_letters_cut
        for message in self._readers[topics.REJECTED].advance():
            stage, where, frame = reading.dead_letter(message)
            if stage is Stage.PRODUCER:
                if not cut or where.offset < cut.get(where.partition, 0):
                    self.books.dead_letter_topic[where] = frame
            elif not self._raw_cut or where.offset < self._raw_cut.get(where.partition, 0):
                self.books.rejected_topic.add(where)

    def _read_rejected_layer(self) -> None:
        books = self.books
        books.rejected.clear()
        books.dead_letters.clear()
        for row in reading.table(self.settings, "rejected", ["partition", "offset", "stage"]):
            where = Coordinates(row["partition"], row["offset"])
            by_producer = row["stage"] == Stage.PRODUCER
            held, cut = (books.dead_letters, self._dead_letters_cut) if by_producer else (books.rejected, self._raw_cut)
            if where.offset < cut.get(where.partition, 0):
                held[where] += 1
