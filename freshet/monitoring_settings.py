"""The settings of how the system is watched; a part of `freshet.settings.Settings`, where all are read."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from freshet.setting_values import Port, SecretUrl, Url


class MonitoringSettings(BaseSettings):
    """Exporter, Prometheus, Alertmanager, traces and lineage events."""

    monitoring: bool = Field(
        True, description="whether the embedded stack has the exporter, and Prometheus if installed"
    )
    exporter_interval_s: float = Field(5, ge=0.2, le=600, description="how often the exporter looks at everything, s")
    exporter_metrics_port: Port = Field(18087, description="port of the exporter's metrics")
    prometheus_port: Port = Field(18090, description="port of the embedded Prometheus")
    alertmanager_port: Port = Field(18091, description="port of the embedded Alertmanager")
    scrape_interval_s: int = Field(15, ge=1, le=120, description="how often the embedded Prometheus scrapes, s")
    alert_time_scale: float = Field(
        1, gt=0, le=1, description="factor on every window and wait of the alert rules, for drills; 1: as written"
    )
    alertmanager_webhook_url: SecretUrl = Field(
        SecretStr(""), description="URL that the embedded Alertmanager posts alerts to, in its own format"
    )
    otlp_endpoint: Url = Field(
        "", description="OTLP/HTTP collector that traces go to, http://HOST:4318; empty: none do"
    )
    openlineage_url: Url = Field("", description="OpenLineage server that lineage events go to; empty: none do")
