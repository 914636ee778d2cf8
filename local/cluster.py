"""Spark's own standalone cluster in the embedded stack: a master and workers, by the classes that pyspark brings."""

from typing import Final

from freshet.errors import ConfigError
from freshet.settings import PREFIX, Settings
from freshet.spark import LOGGING, home
from local import readiness
from local.process import Process

MASTER: Final = "spark-master"
MASTER_CLASS: Final = "org.apache.spark.deploy.master.Master"
WORKER_CLASS: Final = "org.apache.spark.deploy.worker.Worker"

HEALTH_PATH: Final = "/json/"

_HOST: Final = "127.0.0.1"
_DAEMON: Final = {
    "SPARK_DAEMON_MEMORY": "256m",
    "SPARK_DAEMON_JAVA_OPTS": f"-XX:+UseSerialGC -XX:TieredStopAtLevel=1 {LOGGING}",
}
# what an executor leaves is of no use once its application has ended
_WORKER: Final = {"SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true -Dspark.worker.cleanup.appDataTtl=3600"}


def declare(settings: Settings) -> list[Process]:
    """Master and workers, where the settings ask for them. Executors belong to their worker's process group."""
    if not settings.cluster:
        return []
    return [_master(settings), *(_worker(settings, number) for number in range(1, settings.spark_workers + 1))]


def told(settings: Settings) -> Settings:
    """The settings with the embedded master as the one that jobs are submitted to.

    Raises ConfigError when they name another.
    """
    if not settings.cluster:
        return settings
    url = f"spark://{_HOST}:{settings.spark_master_port}"
    if settings.spark_master not in ("", url):
        raise ConfigError(
            f"{PREFIX}SPARK_MASTER is {settings.spark_master}: with a cluster elsewhere leave out {PREFIX}CLUSTER"
        )
    return settings.model_copy(update={"spark_master": url})


def sentences(settings: Settings) -> list[str]:
    """Where its pages are."""
    return [f"Spark's master at http://{_HOST}:{settings.spark_master_web_port}/"] if settings.cluster else []


def _master(settings: Settings) -> Process:
    port, web = settings.spark_master_port, settings.spark_master_web_port
    return Process(
        name=MASTER,
        command=(*_spark_class(MASTER_CLASS), "--host", _HOST, "--port", str(port), "--webui-port", str(web)),
        ready=readiness.http(web, HEALTH_PATH),
        environment=_daemon(),
        ports={"SPARK_MASTER_PORT": port, "SPARK_MASTER_WEB_PORT": web},
    )


def _worker(settings: Settings, number: int) -> Process:
    web = settings.spark_worker_web_port + number - 1
    offered = ("--cores", str(settings.spark_worker_cores), "--memory", settings.spark_worker_memory)
    name = f"spark-worker-{number}"
    return Process(
        name=name,
        command=(
            *_spark_class(WORKER_CLASS), "--host", _HOST, "--webui-port", str(web), *offered,
            "--work-dir", str(settings.state_dir / "spark" / name),
            f"spark://{_HOST}:{settings.spark_master_port}",
        ),
        ready=readiness.http(web, HEALTH_PATH),
        after=(MASTER,),
        environment=_daemon() | _WORKER,
        ports={"SPARK_WORKER_WEB_PORT": web},
    )  # fmt: skip


def _daemon() -> dict[str, str]:
    return {"SPARK_HOME": str(home()), **_DAEMON}


def _spark_class(name: str) -> tuple[str, str]:
    return str(home() / "bin" / "spark-class"), name
