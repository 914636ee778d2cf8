"""The one Settings object. Read at entry points, passed down; nothing else reads the environment.

Every field is the environment variable `FRESHET_<NAME>`, or a line of `.env` in the checkout, or a container's file
`/run/secrets/freshet_<name>`. The two that the OpenAI client has names for are read from those as well.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from freshet import keys
from freshet.context_settings import ContextSettings
from freshet.contract import topics
from freshet.contract.documents import DocumentRule, rule_from
from freshet.deployment_settings import DeploymentSettings
from freshet.errors import ConfigError
from freshet.lake import LakePaths
from freshet.monitoring_settings import MonitoringSettings
from freshet.setting_values import (
    CHECKOUT,
    NAMED_URL,
    ORIGIN,
    SECRETS,
    CheckoutPath,
    Dsn,
    Layer,
    Memory,
    ModelId,
    Port,
    RateLimit,
    SecretUrl,
    Source,
    Url,
    UserPath,
)

__all__ = ["CHECKOUT", "PREFIX", "Settings", "Source", "load_settings"]

PREFIX = "FRESHET_"


class Settings(DeploymentSettings, MonitoringSettings, ContextSettings):
    """All settings, validated and frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=CHECKOUT / ".env",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        validate_default=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    state_dir: CheckoutPath = Field(Path(".freshet"), description="folder of everything the embedded stack keeps")
    jars_dir: CheckoutPath = Field(Path(".cache/jars"), description="folder of the checked jars of Kafka and Spark")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    source: Source = Field(Source.AUTO, description="auto, live, recording or simulated")
    stream_url: str = Field(
        "https://stream.wikimedia.org/v2/stream/recentchange", description="the SSE stream that the producer reads"
    )
    stream_id: str = Field("", description="name of the stream whose position is kept; empty: its URL")
    contact: str = Field("", description="address or URL in the User-Agent; Wikimedia asks for one")
    recording: UserPath | None = Field(None, description="NDJSON file, plain or .gz, for source=recording")
    rate: float = Field(40, ge=0, le=100_000, description="events/s that a stand-in serves; 0: as fast as possible")
    retime: bool = Field(False, description="shift a recording's times to now")
    simulator_seed: int = Field(1, description="the simulation is the same for the same seed")
    rewind_ms: int = Field(2000, ge=0, description="how far a reconnect goes back, ms; meta.id removes the repeats")
    backfill_rate: float = Field(100, gt=0, le=100_000, description="most events/s that a backfill of history reads")
    backfill_lag_records: int = Field(20, ge=0, description="it waits while the indexer has more gold records to do")
    stall_timeout_s: float = Field(30, gt=0, description="a stream silent for so long is reconnected, s")

    kafka_bootstrap_servers: str = Field("", description="an existing broker; empty: the embedded one")
    kafka_partitions: int = Field(4, ge=1, le=256, description="partitions of a topic when it is created")
    kafka_retention_hours: int = Field(72, ge=1, description="how long the log keeps records, hours")
    lake_root: str = Field("", description="root of the Delta tables, file:// or s3a://; empty: in state_dir")
    postgres_dsn: Dsn = Field(SecretStr(""), description="an existing Postgres with pgvector")

    spark_master: str = Field("", description="Spark master; empty: this machine, with the slots that a job needs")
    serve_driver_memory: Memory = Field("512m", description="heap of the serve query's driver")
    lake_driver_memory: Memory = Field("2g", description="heap of the driver of the lake query and of batch jobs")
    stream_java_options: str = Field(
        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=160m",
        description="JVM of the streaming queries; the default takes little memory and compiles soon rather than well",
    )
    serve_mode: Literal["realtime", "microbatch"] = Field("realtime", description="trigger of the serve query")
    lake_interval_s: int = Field(30, ge=1, description="how often the lake query commits, s")
    gold_namespaces: Annotated[tuple[int, ...], NoDecode] = Field((0,), description="namespaces of documents")
    gold_wikis: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*wiki", "!wikidatawiki", "!commonswiki", "!metawiki", "!mediawikiwiki", "!specieswiki", "!incubatorwiki",
         "!sourceswiki", "!outreachwiki", "!foundationwiki", "!wikimaniawiki", "!test*wiki"),
        description="wikis of documents: patterns, a leading ! excludes; the default is all Wikipedias",
    )  # fmt: skip

    embedding_model: ModelId = Field("minilm-l6-v2-int8", description="model of a new store; a folder's name")
    models_dir: CheckoutPath = Field(Path(".cache/models"), description="folder of models, a folder each")
    embedding_sessions: int = Field(2, ge=1, le=64, description="texts embedded side by side, a core each")
    reembed_sessions: int = Field(1, ge=1, le=64, description="the same, of what is embedded beside the stream")
    indexer_group: str = Field(topics.INDEXER_GROUP, min_length=1, description="consumer group of the indexer")
    indexer_batch_documents: int = Field(64, ge=1, le=10_000, description="most documents in one transaction")

    sla_source_silence_s: float = Field(120, gt=0, description="longest time without a record from the source, s")
    sla_lag_records: int = Field(10_000, ge=0, description="most gold records that the indexer has still to do")
    sla_lag_s: float = Field(60, gt=0, description="longest that a gold record waits for the indexer, s")
    sla_silver_age_s: float = Field(60, gt=0, description="longest that a raw record waits for the serve query, s")
    sla_gold_age_s: float = Field(300, gt=0, description="longest that silver goes on without any document, s")
    sla_searchable_age_s: float = Field(60, gt=0, description="longest that a received edit is not searchable, s")
    sla_pending_embeddings: int = Field(1_000, ge=0, description="most texts that wait for their vector")
    sla_pending_age_s: float = Field(3_600, gt=0, description="longest that a text waits for its vector, s")
    sla_rejected_share: float = Field(0.02, ge=0, le=1, description="largest share of records that are rejected")
    sla_rejected_window_s: float = Field(600, ge=10, le=86_400, description="over how long that share is taken, s")
    sla_rejected_least: int = Field(100, ge=1, description="with fewer records in that time no share is taken")
    sla_lake_age_s: float = Field(300, gt=0, description="longest that a raw record waits for the lake, s")
    sla_compaction_hours: float = Field(6, gt=0, description="longest that small files wait to be compacted, hours")
    sla_timeout_s: float = Field(10, gt=0, le=60, description="how long Kafka, Postgres and the lake may take each, s")
    gap_lookback_hours: int = Field(24, ge=1, le=720, description="how far back gaps are looked for, hours")
    gap_share: float = Field(0.2, ge=0, lt=1, description="a minute with less of what is usual is part of a gap")
    gap_fill: bool = Field(False, description="gaps that a scheduled run finds are filled, not only reported")
    compact_tables: Annotated[tuple[Layer, ...], NoDecode] = Field(
        ("gold",), description="tables of the lake that are compacted: bronze, silver, gold, rejected"
    )
    compact_keep_hours: int = Field(
        168, ge=24, description="how long files stay that no table has any more, for readers of before, hours"
    )
    compact_file_mb: int = Field(128, ge=1, le=4_096, description="size that compaction gives files of the lake, MB")
    retention_days: int = Field(0, ge=0, description="documents of older edits are deleted, days; 0: none is")
    answers_retention_days: int = Field(0, ge=0, description="older stored answers are deleted, days; 0: none is")
    sla_retention_days: int = Field(30, ge=0, description="older checks and reports are deleted, days; 0: none is")
    reindex_from: float = Field(
        2, gt=1, description="a vector index so many times as large as its vectors need is built anew"
    )
    upkeep_java_options: str = Field("-XX:+UseSerialGC -XX:TieredStopAtLevel=1", description="JVM of hourly Spark jobs")
    upkeep_deadline_s: float = Field(7_200, gt=0, description="a replay or backfill still running then is alerted, s")
    alertmanager_url: Url = Field("", description="Alertmanager that is told of breaches, http://HOST:9093")
    alert_webhook_url: SecretUrl = Field(SecretStr(""), description="URL that breaches are posted to as JSON")
    alert_timeout_s: float = Field(5, gt=0, le=60, description="how long a receiver of alerts may take, s")

    search_half_life_hours: float = Field(24, gt=0, description="an edit so much older counts half as recent, hours")
    query_deadline_s: float = Field(5, gt=0, description="a question that would wait longer for its vector is shed, s")
    openai_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(f"{PREFIX}OPENAI_API_KEY", "OPENAI_API_KEY"),
        description="key of the model that writes answers; without it and a base URL they are extractive",
    )
    openai_base_url: Url = Field(
        "",
        validation_alias=AliasChoices(f"{PREFIX}OPENAI_BASE_URL", "OPENAI_BASE_URL"),
        description="any OpenAI-compatible server; empty: OpenAI's own",
    )
    answer_model: str = Field("gpt-5.6-luna", min_length=1, description="model that writes answers")
    answer_timeout_s: float = Field(30, gt=0, le=600, description="how long a model may take for a whole answer, s")
    answer_max_tokens: int = Field(800, ge=64, le=8_000, description="most tokens that a model may write")
    answer_reasoning_effort: Literal["default", "none", "minimal", "low", "medium", "high", "xhigh"] = Field(
        "none", description="reasoning effort that a model is asked for; default: not sent, for models that know none"
    )
    answer_input_usd_per_million: float = Field(
        0.20, ge=0, description="price of tokens read, for the cost metric, USD"
    )
    answer_output_usd_per_million: float = Field(
        1.20, ge=0, description="price of tokens written, for the cost metric, USD"
    )

    api_host: str = Field("127.0.0.1", description="address the API listens on")
    api_port: Port = Field(18080, description="port of the API")
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="keys that the API accepts, NAME:SHA256 each, made by `freshet api-key`; empty: it asks for none",
    )
    api_key: SecretStr = Field(SecretStr(""), description="the key that the command shows to the API")
    api_rate_limit: RateLimit = Field(
        "", description="how often one client may ask, such as 600/minute; empty: no limit"
    )
    api_cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins whose pages may ask the API, such as https://example.org; empty: none"
    )
    process_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="processes whose state the API shows, NAME=URL of its /readyz; empty: the embedded ones"
    )
    ui_host: str = Field("127.0.0.1", description="address the pages are served on")
    ui_port: Port = Field(18086, description="port of the pages")
    ui_api_url: Url = Field("", description="the API that the pages ask, http://HOST:18080; empty: the one here")
    airflow_url: Url = Field(
        "", description="Airflow that repairs, and whose runs the API shows; empty: the embedded one"
    )
    airflow_user: str = Field("admin", min_length=1, description="user the API reads Airflow's runs as")
    airflow_password: SecretStr = Field(SecretStr(""), description="that user's password; empty: the generated one")
    airflow: bool = Field(True, description="whether the embedded stack has Airflow, which repairs and maintains")
    airflow_port: Port = Field(18088, description="port of Airflow's pages and REST interface")
    eventstreams_port: Port = Field(18081, description="port of the stand-in event stream")
    producer_metrics_port: Port = Field(18082, description="port of the producer's metrics")
    serve_metrics_port: Port = Field(18083, description="port of the metrics of the serve query")
    lake_metrics_port: Port = Field(18085, description="port of the metrics of the lake query, when it runs by itself")
    indexer_metrics_port: Port = Field(18084, description="port of the indexer's metrics")
    kafka_port: Port = Field(18092, description="port of the embedded broker")
    kafka_controller_port: Port = Field(18093, description="port of the embedded broker's controller")
    postgres_port: Port = Field(18032, description="port of the embedded Postgres")

    @field_validator(
        "gold_namespaces", "gold_wikis", "api_keys", "api_cors_origins", "compact_tables", "process_urls",
        "allowed_hosts", mode="before",
    )  # fmt: skip
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("api_keys")
    @classmethod
    def _key_entries(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for number, entry in enumerate(entries, start=1):
            # not repeated in the message: it may be the key itself
            if keys.read(entry) is None:
                raise ValueError(f"entry {number} is not NAME:SHA256; `freshet api-key NAME` prints one that is")
        return entries

    @field_validator("api_cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("an origin is https://HOST or https://HOST:PORT, without a path; * stands for all")
        return origins

    @field_validator("process_urls")
    @classmethod
    def _named_urls(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        if not all(NAMED_URL.fullmatch(entry) for entry in entries):
            raise ValueError("an entry is NAME=URL, such as indexer=http://indexer:18084/readyz")
        return entries

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.source is Source.RECORDING and self.recording is None:
            raise ValueError(f"{PREFIX}RECORDING must name a file when {PREFIX}SOURCE=recording")
        if not any(not pattern.startswith("!") for pattern in self.gold_wikis):
            raise ValueError(f"{PREFIX}GOLD_WIKIS must include at least one wiki")
        return self

    @property
    def has_model(self) -> bool:
        """Whether a model writes the answers."""
        return bool(self.openai_api_key.get_secret_value() or self.openai_base_url)

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` list of the broker, embedded or not."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

    @property
    def api_url(self) -> str:
        """Address of the API that the pages ask."""
        return self.ui_api_url.rstrip("/") or f"http://{self.api_host}:{self.api_port}"

    @property
    def lake(self) -> LakePaths:
        """Paths of the Delta tables."""
        return LakePaths(self.lake_root or f"file://{self.state_dir}/lake")

    @property
    def document_rule(self) -> DocumentRule:
        """Which edits become documents."""
        return rule_from(self.gold_namespaces, self.gold_wikis)

    @property
    def postgres_password_file(self) -> Path:
        """Where the embedded Postgres' generated password is kept."""
        return self.state_dir / "secrets" / "postgres-password"

    @property
    def conninfo(self) -> str:
        """libpq connection string, embedded or not. Raises ConfigError when the embedded one was never started."""
        if dsn := self.postgres_dsn.get_secret_value():
            return dsn
        try:
            password = self.postgres_password_file.read_text().strip()
        except FileNotFoundError as error:
            raise ConfigError(
                f"no embedded Postgres under {self.state_dir}: start it with `freshet up`, or set {PREFIX}POSTGRES_DSN"
            ) from error
        return f"postgresql://freshet:{password}@127.0.0.1:{self.postgres_port}/freshet"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises ConfigError that names each bad setting as the user wrote it."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(item) for item in error.errors())) from error


def _line(item: Any) -> str:
    where = "_".join(str(part) for part in item["loc"][:1]).upper().removeprefix(PREFIX)
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{where}: {message}" if where else message
