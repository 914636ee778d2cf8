"""The settings of where processes run and how many; a part of `freshet.settings.Settings`, where all are read."""

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from freshet.setting_values import Memory, Port, Url


class DeploymentSettings(BaseSettings):
    """Addresses and ports for more than one stack or machine, and the parts of a cluster."""

    port_offset: int = Field(
        0, ge=0, le=40_000, description="added to each port that is not set, for a second stack on one machine"
    )
    listen_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="address of metrics and readiness, of Airflow and of the stand-in stream; 0.0.0.0 in a container",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="names with a dot by which the API and the pages may be addressed, such as freshet.example.org; "
        "addresses, localhost and names of this network always may; * stands for all",
    )
    airflow_public_url: Url = Field("", description="address at which people reach Airflow; empty: airflow_url")

    kafka_replication: int = Field(
        1, ge=1, le=9, description="replicas of a topic when it is created; with 3, writes go on while one is away"
    )
    lake_path_style: bool = Field(
        False, description="whether s3a:// names the bucket in the path, as MinIO and the like want, not in the host"
    )
    cluster: bool = Field(False, description="whether the embedded stack has a Spark master and workers of its own")
    spark_workers: int = Field(2, ge=1, le=16, description="workers of the embedded Spark cluster")
    spark_worker_cores: int = Field(
        12, ge=2, le=256, description="task slots that each offers; what streams hold is mostly waiting"
    )
    spark_worker_memory: Memory = Field("3g", description="memory that each has for executors")
    spark_executor_memory: Memory = Field("1g", description="heap of an executor on a cluster")
    spark_driver_host: str = Field(
        "127.0.0.1", min_length=1, description="address at which executors reach the drivers of this machine"
    )
    spark_master_port: Port = Field(18070, description="port of the embedded cluster's master")
    spark_master_web_port: Port = Field(18071, description="port of that master's pages")
    spark_worker_web_port: Port = Field(18072, description="port of the first worker's pages; the others' follow it")
    indexers: int = Field(1, ge=1, le=16, description="indexers of the embedded stack, which share the partitions")
    more_indexers_metrics_port: Port = Field(
        18100, description="port of the second indexer's metrics; those of further ones follow it"
    )
    api_workers: int = Field(1, ge=1, le=16, description="API processes of the embedded stack, which share its port")
    api_at_once: int = Field(
        300,
        ge=0,
        description="requests of one client that one API process has under way, streams among them; 0: no limit",
    )
    api_also_at: int = Field(
        0, ge=0, le=65535, description="port at which this one of them answers as well, to be told apart; 0: none"
    )
    api_workers_port: Port = Field(
        18110, description="port at which the first of several API processes answers as well; the others' follow it"
    )

    @model_validator(mode="before")
    @classmethod
    def _shifted(cls, data: Any) -> Any:
        """Ports that are not given are moved by the offset. What is not a number is told of by its own check."""
        offset = str(data.get("port_offset", ""))
        if not offset.isdecimal():
            return data
        ports = {name: field.default for name, field in cls.model_fields.items() if name.endswith("_port")}
        return {**{name: port + int(offset) for name, port in ports.items()}, **data}
