"""The durable log: creating its topics and asking for its offsets."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from freshet.contract import topics
from freshet.errors import TransientError
from freshet.settings import Settings

TIMEOUT_S = 30.0
LOGGER = logging.getLogger("rdkafka")
"""For every client of the broker: by itself librdkafka writes plain lines to standard error."""

# Every record bigger than this would be refused by the broker; a recent-change event has a few kilobytes.
MAX_RECORD_BYTES = 10 * 1024 * 1024
# Only closed segments are compacted: short ones keep the read at a start short.
COMPACTED = {"cleanup.policy": "compact", "segment.ms": "600000"}
SOON = MappingProxyType[str, str | int]({"fetch.wait.max.ms": 10})
"""Options of who reads to the end and leaves: of the end a reader hears when the broker has waited so long for more."""


def ensure_topics(settings: Settings) -> list[str]:
    """Create the topics that are not there yet. Returns the names of those it made. Safe to call at any time."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers}, logger=LOGGER)
    wanted = [new_topic(settings, topic) for topic in topics.ALL]
    made = []
    for name, future in admin.create_topics(wanted, operation_timeout=TIMEOUT_S).items():
        try:
            future.result()
            made.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TransientError(f"cannot create topic {name}: {error.args[0].str()}") from error
    return made


def new_topic(settings: Settings, topic: topics.Topic) -> NewTopic:
    """A topic as it is made. All but one of its replicas must have a record before it is acknowledged."""
    retention = {"retention.ms": str(settings.kafka_retention_hours * 3_600_000)}
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions or settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        config={
            "max.message.bytes": str(MAX_RECORD_BYTES),
            "min.insync.replicas": str(max(1, settings.kafka_replication - 1)),
            **(COMPACTED if topic.compacted else retention),
        },
    )


def partitions(consumer: Consumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic; empty when there is no such topic."""
    metadata = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    return [] if metadata.error else [TopicPartition(topic, number) for number in sorted(metadata.partitions)]


def watermarks(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    """First kept and next offset by partition."""
    return {
        part.partition: consumer.get_watermark_offsets(part, timeout=TIMEOUT_S) for part in partitions(consumer, topic)
    }


def place(message: Message) -> tuple[int, int]:
    """Partition and offset of a consumed record."""
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise ValueError("a consumed record has a partition and an offset")
    return partition, offset


def reader(
    settings: Settings, group: str = "freshet-reader", options: Mapping[str, str | int] = MappingProxyType({})
) -> Consumer:
    """A consumer for reading by assigned offsets, which commits nothing. `options` are librdkafka's, and go first."""
    return Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.message.max.bytes": MAX_RECORD_BYTES,
            # while the broker is away: twice a second, not twenty times, each with a line in the log
            "reconnect.backoff.ms": 500,
            **options,
        },
        logger=LOGGER,
    )
