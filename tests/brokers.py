"""A cluster of three brokers, for what a single one cannot show."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from freshet import log
from freshet.settings import Settings
from local import broker, ports, readiness
from local.process import Process
from tests.conftest import free_settings, running, until_led


class Cluster:
    """Brokers 1, 2 and 3. The first is the controller too, and runs throughout; each topic has three replicas."""

    def __init__(self, settings: Settings, bootstrap_servers: list[str]) -> None:
        self.settings = settings
        self._servers = dict(enumerate(bootstrap_servers, start=1))
        self._running: dict[int, ExitStack] = {}

    def start(self, number: int) -> None:
        """Start one of the others; it answers when this returns."""
        process = ExitStack()
        process.enter_context(running(self._other(number), self.settings))
        self._running[number] = process

    def end(self, number: int) -> None:
        """End one of the others, in order."""
        self._running.pop(number).close()

    def end_all(self) -> None:
        for number in list(self._running):
            self.end(number)

    def _other(self, number: int) -> Process:
        """A declaration like that of the first broker; its folder is made and formatted here."""
        first = broker.declare(self.settings)
        *java, _, of_first = first.command
        folder = self.settings.state_dir / f"kafka-{number}"
        properties = folder / "server.properties"
        if not properties.exists():
            folder.mkdir()
            properties.write_text(self._properties(Path(of_first).read_text(), number, folder))
            cluster_id = value_of((Path(of_first).parent / "data" / "meta.properties").read_text(), "cluster.id")
            tool = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
            subprocess.run(tool, check=True, capture_output=True)
        return replace(
            first,
            name=f"kafka-{number}",
            command=(*java, "kafka.Kafka", str(properties)),
            ready=readiness.kafka(self._servers[number]),
        )

    def _properties(self, of_first: str, number: int, folder: Path) -> str:
        address = f"PLAINTEXT://{self._servers[number]}"
        own = {"process.roles": "broker", "node.id": str(number), "listeners": address,
               "advertised.listeners": address, "log.dirs": str(folder / "data")}  # fmt: skip
        names = [line.split("=", 1)[0] for line in of_first.splitlines()]
        return "".join(f"{name}={own.get(name, value_of(of_first, name))}\n" for name in names)


def value_of(properties: str, name: str) -> str:
    """Value of a name in a Java properties file."""
    (value,) = [line.split("=", 1)[1] for line in properties.splitlines() if line.startswith(f"{name}=")]
    return value


@contextmanager
def three_brokers(folder: Path) -> Iterator[Cluster]:
    """A cluster that has the topics, until the block ends."""
    settings = free_settings(folder, kafka_replication=3)
    servers = [settings.bootstrap_servers, *(f"127.0.0.1:{port}" for port in ports.find_free(2))]
    settings = settings.model_copy(update={"kafka_bootstrap_servers": ",".join(servers)})
    broker.prepare(settings)
    cluster = Cluster(settings, servers)
    with running(broker.declare(settings), settings):
        try:
            cluster.start(2)
            cluster.start(3)
            log.ensure_topics(settings)
            until_led(settings)
            yield cluster
        finally:
            cluster.end_all()
