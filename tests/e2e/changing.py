"""A stack whose rule of documents was changed, and what is done to it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil
import psycopg
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from tenacity import RetryError, retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from freshet import airflow_client as client
from freshet.settings import Settings
from local.trees import told, tree
from tests.receiver import Receiver
from tests.stacks import Stack, eventually

KEPT = ("dewiki", "frwiki", "eswiki")
WIKIS = ("commonswiki", *KEPT)
NAMESPACES = (0, 6)
FLAWED = "as a flawed transform wrote it"
SILENT_S = 20


@dataclass(frozen=True)
class Changed:
    """A stack whose rule of documents was changed at a time. `before` are the documents of gold as it left them."""

    stack: Stack
    alerts: Receiver
    at: datetime
    before: set[str]
    flawed: str
    stopped: dict[str, datetime] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def replay(self, *how: str) -> dict[str, Any]:
        """Everything that was logged under the rule of before."""
        report = self.stack.json("replay", "--since", "2020-01-01T00:00:00Z", "--until", self.at.isoformat(), *how)
        return dict(report["total"])

    def told(self, check: str, event: str, since: datetime) -> list[str]:
        """The breaches of a check, begun since then, of which the receiver heard that they had begun, or ended."""
        heard = [body for body in self.alerts.bodies if body.get("check") == check and body["event"] == event]
        return sorted(body["breach_id"] for body in heard if datetime.fromisoformat(body["begun_at"]) >= since)

    def rows(self, layer: str, *columns: str) -> list[dict[str, Any]]:
        """Rows of the lake that were logged under the rule of before."""
        table = DeltaTable(self.settings.lake.table(layer)).to_pyarrow_table(columns=[*columns, "raw_timestamp"])
        return [row for row in table.to_pylist() if row["raw_timestamp"] < self.at]

    def documents(self) -> dict[str, str]:
        """Text by id, of the documents that were logged under the rule of before."""
        with psycopg.connect(self.settings.conninfo) as store:
            query = "SELECT doc_id, text FROM documents WHERE raw_timestamp < %s"
            return dict(store.execute(query, (self.at,)).fetchall())


@retry(
    retry=retry_if_exception_type(CommitFailedError), stop=stop_after_attempt(20), wait=wait_fixed(0.5), reraise=True
)
def damage(settings: Settings, at: datetime, most: int) -> list[str]:
    """Write so many documents of gold as if a flawed transform had made them. Returns their ids."""
    gold = DeltaTable(settings.lake.table("gold"))
    rows = gold.to_pyarrow_table(columns=["doc_id", "wiki", "raw_partition", "raw_timestamp"]).to_pylist()
    old = [row for row in rows if row["raw_timestamp"] < at and row["raw_partition"] == 0]
    chosen = sorted(row["doc_id"] for row in old if row["wiki"] in KEPT)[:most]
    listed = ", ".join(f"'{doc_id}'" for doc_id in chosen)
    gold.update(predicate=f"doc_id IN ({listed})", new_values={"text": FLAWED})
    return chosen


def belongs(row: dict[str, Any]) -> bool:
    """Whether an event is a document under the changed rule."""
    content = row["type"] in {"edit", "new"} and row["namespace"] in NAMESPACES and row["title"]
    return bool(content and row["user_kind"] != "bot" and row["wiki"] in WIKIS)


def expected(changed: Changed) -> set[str]:
    events = changed.rows("silver", "event_id", "type", "namespace", "user_kind", "wiki", "title")
    return {row["event_id"] for row in events if belongs(row)}


def ended(changed: Changed, dag_id: str, run_id: str) -> str:
    """The state in which a run ends. A Spark job beside a busy stack takes minutes on two cores."""
    with client.connect(changed.settings) as airflow:
        try:
            eventually(lambda: airflow.run(dag_id, run_id)["state"] in client.ENDED, 1200)
        except RetryError as error:
            raise AssertionError(f"{dag_id} {run_id} has not ended: {airflow.tasks(dag_id, run_id)}") from error
        return str(airflow.run(dag_id, run_id)["state"])


def check(changed: Changed) -> Collection[str]:
    """Have the freshness checked now. Returns the names of the breaches."""
    with client.connect(changed.settings) as airflow:
        run_id = airflow.trigger("check_freshness", {})
        ended(changed, "check_freshness", run_id)
        return [one["name"] for one in airflow.result("check_freshness", run_id, "check")["breaches"]]


def until_checked(changed: Changed, so: Callable[[Collection[str]], bool]) -> None:
    eventually(lambda: so(check(changed)))


def jobs(changed: Changed) -> list[psutil.Process]:
    """The Java processes of replays that Airflow has submitted."""
    scheduler = changed.stack.process("airflow-scheduler")
    assert scheduler is not None
    found = []
    for process in scheduler.children(recursive=True):
        try:
            command = process.cmdline()
            if "org.apache.spark.deploy.SparkSubmit" in command and any(
                part.endswith("/replay.py") for part in command
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop(changed: Changed, name: str) -> None:
    """Let a process stand still, with all that it has started."""
    process = changed.stack.process(name)
    assert process is not None
    changed.stopped[name] = datetime.now(UTC)
    told(tree(process.pid), psutil.Process.suspend)


def restart(changed: Changed, name: str) -> None:
    """Kill a process with all that it has started: its supervisor starts it again."""
    process = changed.stack.process(name)
    assert process is not None
    told(reversed(tree(process.pid)), psutil.Process.kill)
