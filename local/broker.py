"""The embedded Kafka broker: one KRaft node on loopback, run from the locked jars."""

import secrets
import string
import subprocess
from pathlib import Path

from freshet.errors import PermanentError
from freshet.settings import Settings
from local import jars, readiness
from local.process import Process

# 256 MB of heap with the serial collector: 200-280 MB resident in all.
JVM = ("-Xmx256m", "-Xms64m", "-XX:+UseSerialGC",
       "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")  # fmt: skip


def declare(settings: Settings) -> Process:
    """The broker's process; its folder is made and formatted by `prepare`."""
    return Process(
        name="kafka",
        command=(*_java(settings), "kafka.Kafka", str(_folder(settings) / "server.properties")),
        ready=readiness.kafka(settings.bootstrap_servers),
        ports={"KAFKA_PORT": settings.kafka_port, "KAFKA_CONTROLLER_PORT": settings.kafka_controller_port},
        stop_seconds=30,
    )


def prepare(settings: Settings) -> None:
    """Write the configuration and, the first time, format the log folder. Needs no running broker."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(_properties(settings))
    if (folder / "data" / "meta.properties").exists():
        return
    # base64 would do, but an id that begins with '-' reads as an option
    cluster_id = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(22))
    command = [*_java(settings), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermanentError(f"cannot format the broker's folder {folder}: {done.stderr[-1000:]}{done.stdout[-1000:]}")


def _folder(settings: Settings) -> Path:
    return settings.state_dir / "kafka"


def _java(settings: Settings) -> tuple[str, ...]:
    class_path = ":".join(str(path) for path in jars.class_path(settings.jars_dir, "kafka"))
    return ("java", *JVM, "-cp", class_path)


def _properties(settings: Settings) -> str:
    broker, controller = settings.kafka_port, settings.kafka_controller_port
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": _folder(settings) / "data",
        "auto.create.topics.enable": "false",
        # one node: every internal topic has one replica
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # a broker that was killed is taken back after 5 s instead of 13 s
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": 10 * 1024 * 1024,
        "replica.fetch.max.bytes": 10 * 1024 * 1024,
        "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
