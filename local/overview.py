"""What `freshet status` shows: every process with its memory and lag, and how fresh the index is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import psutil
import psycopg
from confluent_kafka import KafkaException

from freshet import airflow_access as access
from freshet.contract import topics
from freshet.errors import ConfigError
from freshet.offsets import Offsets
from freshet.settings import Settings
from freshet.store import missing
from freshet.upkeep.log_state import LogState
from local import describing, guard, monitoring, stack
from local.client import client
from local.supervisor import Supervisor
from local.trees import told, tree

API_S = 5.0
LOG_S = 3.0


@dataclass(frozen=True)
class Row:
    """One process. `memory_mb` is the resident memory of its process tree; `lag` counts records."""

    name: str
    state: str
    pid: int | None
    memory_mb: float | None
    lag: int | None


@dataclass(frozen=True)
class Overview:
    """The whole stack at one moment."""

    processes: list[Row]
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Everything that should run works."""
        return bool(self.processes) and all(row.state == "ready" for row in self.processes)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"healthy": self.healthy, **asdict(self)}


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures for people: a line each, and one for each layer."""
    for name, value in figures.items():
        if name == "layers":
            yield from (f"log {layer}: {_topic(topic)}" for layer, topic in value["log"].items())
            yield from (f"lake {layer}: {_table(table)}" for layer, table in value["lake"].items())
        elif name == "lag":
            yield f"not indexed yet: {_lag(value)}"
        elif name == "alerts":
            yield from (f"alert {one}" for one in value or ["none"])
        elif name == "embedding":
            yield from (f"embedding {one}" for one in value)
        else:
            yield f"{name}: {value}"


def overview(settings: Settings) -> Overview:
    """Ask the supervisor, the kernel, the broker and the API. What does not answer is left out."""
    control = Supervisor(settings)
    if not control.is_up():
        return Overview([], {"stack": f"nothing runs in {settings.state_dir}: start it with `freshet up`"})
    ready = {process.name: process.ready for process in stack.declare(settings)}
    lags = _lags(settings)
    rows = []
    for name, state in control.states().items():
        works = state.pid is not None and ready[name]()
        words = (
            "ready" if works else {"RUNNING": "not ready", "STARTING": "starting"}.get(state.state, state.state.lower())
        )
        rows.append(Row(name, words, state.pid, tree_memory_mb(state.pid), lags.get(name)))
    airflow = {"airflow": access.sentence(settings)} if access.embedded(settings) else {}
    figures = {
        "state folder": str(settings.state_dir),
        **_disk(settings),
        **airflow,
        **_alerts(settings),
        **_embedding(settings),
        **describing.figures(settings),
        **_freshness(settings),
    }
    return Overview(rows, figures)


def tree_memory_mb(pid: int | None, *, shared: bool = True) -> float | None:
    """Resident memory of a process and its descendants, MB; pages that Postgres' processes share count once, or not at
    all."""
    infos = told(tree(pid), psutil.Process.memory_info)
    if not infos:
        return None
    private = sum(info.rss - getattr(info, "shared", 0) for info in infos)
    return (private + (max(getattr(info, "shared", 0) for info in infos) if shared else 0)) / 1e6


def _disk(settings: Settings) -> dict[str, str]:
    """Nothing as long as there is room."""
    if not guard.is_full(settings.state_dir):
        return {}
    return {"disk": f"full: what has ended is started again when {guard.ROOM_MB} MB are free"}


def _lags(settings: Settings) -> dict[str, int | None]:
    """Records that each reader of the log has still to do; none where the broker does not answer."""
    try:
        state = LogState(settings, Offsets(settings), monotonic() + LOG_S)
        return {
            "serve": state.unserved().records,
            "lake": state.uncommitted(topics.LAKE_GROUP, topics.RAW),
            "indexer": state.uncommitted(settings.indexer_group, topics.GOLD),
            "context": _both(state.uncommitted(topics.CONTEXT_GROUP, topic) for topic in (topics.GOLD, topics.SILVER)),
        }
    except (KafkaException, TimeoutError):
        return {}


def _both(lags: Iterable[int | None]) -> int | None:
    known = [lag for lag in lags if lag is not None]
    return sum(known) if known else None


def _topic(topic: Mapping[str, Any]) -> str:
    if topic["records"] is None:
        return str(topic["status"])
    newest = "" if topic["age_seconds"] is None else f", the newest {topic['age_seconds']} s old"
    return f"{topic['records']} records{newest}"


def _table(table: Mapping[str, Any]) -> str:
    known = table["version"] is not None
    return f"version {table['version']}, {table['age_seconds']} s old" if known else str(table["status"])


def _lag(lag: Mapping[str, Any]) -> str:
    if lag["records"] is None:
        return str(lag["status"])
    return f"{lag['records']} records" + (f", the oldest {lag['seconds']} s old" if lag["seconds"] else "")


def _embedding(settings: Settings) -> dict[str, list[str]]:
    """What is embedded beside the stream, as long as anything is."""
    try:
        with psycopg.connect(settings.conninfo, autocommit=True, connect_timeout=2) as connection:
            seen = missing.progress(connection)
    except (psycopg.Error, ConfigError):
        return {}
    now = datetime.now(UTC)
    said = [f"{one}, {(now - one.noted_at).total_seconds():.0f} s ago" for one in seen]
    return {"embedding": said} if said else {}


def _alerts(settings: Settings) -> dict[str, list[str]]:
    """The alerts that fire, the worst first, as Alertmanager has them; nothing where there is none."""
    if not monitoring.told(settings).alertmanager_url:
        return {}
    try:
        url = f"{monitoring.told(settings).alertmanager_url.rstrip('/')}/api/v2/alerts?active=true&silenced=false"
        found = httpx.get(url, timeout=2, trust_env=False).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        return {"alerts": [f"unknown, Alertmanager does not answer: {type(error).__name__}"]}
    said = {(one["labels"].get("severity", "critical"), one["annotations"].get("summary", "")): one for one in found}
    return {
        "alerts": [
            f"{severity}: {one['labels']['alertname']}: {words}" for (severity, words), one in sorted(said.items())
        ]
    }


def _freshness(settings: Settings) -> dict[str, Any]:
    with client(settings, API_S) as api:
        try:
            response = api.get("/v1/freshness")
            response.raise_for_status()
        except httpx.HTTPError as error:
            return {"freshness": f"unknown, the API does not answer: {error}"}
    return dict(response.json())
