"""Records in the topics of a running broker, and readers that have come so far."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from confluent_kafka import Consumer, Producer, TopicPartition

from freshet import log
from freshet.contract import topics
from freshet.settings import Settings


def produce(settings: Settings, topic: str, *times: datetime, partition: int = 0) -> None:
    """A record with each of these timestamps."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for time_ in times:
        producer.produce(topic, b"{}", partition=partition, timestamp=round(time_.timestamp() * 1000))
    assert producer.flush(30) == 0


def commit(settings: Settings, behind: Mapping[int, int], topic: str = topics.GOLD, group: str | None = None) -> None:
    """Have a group, else the indexer's, come to the end of a topic but for so many records of these partitions."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": group or settings.indexer_group})
    parts = [TopicPartition(topic, number) for number in range(settings.kafka_partitions)]
    for part in parts:
        _, end = consumer.get_watermark_offsets(part, timeout=20)
        part.offset = end - behind.get(part.partition, 0)
    consumer.commit(offsets=parts, asynchronous=False)
    consumer.close()


def serve(settings: Settings) -> None:
    """Have the serve query done with all that was ever received: its last records say so, by offsets."""
    reader = log.reader(settings)
    ends = {number: end for number, (_, end) in log.watermarks(reader, topics.RAW).items()}
    reader.close()
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    long_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for number, end in ends.items():
        row = {"raw_topic": topics.RAW, "raw_partition": number, "raw_offset": end - 1}
        producer.produce(topics.SILVER, json.dumps({**row, "raw_timestamp": long_ago}))
    assert producer.flush(30) == 0
