"""Prometheus and Alertmanager are configured for this machine, and a drill shortens every wait."""

import pytest
from pydantic import SecretStr

from freshet.settings import Settings, load_settings
from local import monitoring

SCRAPED = {"producer": [1111], "alertmanager": [2222]}
JOBS = [{"job_name": name, "static_configs": [{"targets": ["there:1"]}]} for name in ("producer", "nobody")]


@pytest.fixture
def settings() -> Settings:
    return load_settings(scrape_interval_s=3, alertmanager_port=4444)


def test_every_job_is_scraped_at_its_port_here_and_no_other_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "_installed", lambda names: names[0])
    made = monitoring.prometheus({"scrape_configs": JOBS, "rule_files": ["rules/*.yml"]}, settings, SCRAPED)
    assert made["scrape_configs"] == [{"job_name": "producer", "static_configs": [{"targets": ["127.0.0.1:1111"]}]}]
    assert made["global"]["scrape_interval"] == made["global"]["evaluation_interval"] == "3s"
    assert made["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:4444"]}]}]
    assert made["rule_files"] == ["rules/*.yml"]


def test_without_alertmanager_nobody_is_told_and_it_is_not_scraped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "_installed", lambda names: None)
    jobs = [{"job_name": name, "static_configs": []} for name in SCRAPED]
    made = monitoring.prometheus({"scrape_configs": jobs}, settings, SCRAPED)
    assert made["alerting"] == {"alertmanagers": []}
    assert [job["job_name"] for job in made["scrape_configs"]] == ["producer"]


def test_a_drill_shortens_ranges_offsets_and_waits_and_nothing_else() -> None:
    rule = {"alert": "A", "for": "2m", "expr": 'rate(x{le="5.0"}[1h]) > 14.4 and y offset 10m > 300 and z[6h:1m]'}
    (made,) = monitoring.scaled({"groups": [{"interval": "30s", "rules": [rule]}]}, 0.1)["groups"]
    assert made["interval"] == "3000ms"
    assert made["rules"] == [
        {
            "alert": "A",
            "for": "12000ms",
            "expr": 'rate(x{le="5.0"}[360000ms]) > 14.4 and y offset 60000ms > 300 and z[2160000ms:6000ms]',
        }
    ]


def test_without_a_drill_the_rules_are_as_written() -> None:
    rule = {"alert": "A", "for": "2m", "expr": "rate(x[5m]) > 1"}
    assert monitoring.scaled(rule, 1) == rule


def test_alerts_go_to_the_webhook_of_the_settings_and_nowhere_without_one(settings: Settings) -> None:
    written = {"route": {"receiver": "r", "group_wait": "30s"}, "receivers": [{"name": "r", "webhook_configs": [{}]}]}
    assert monitoring.alertmanager(written, settings)["receivers"] == [{"name": "r"}]
    told = settings.model_copy(update={"alertmanager_webhook_url": SecretStr("http://h/hook"), "alert_time_scale": 0.1})
    made = monitoring.alertmanager(written, told)
    assert made["receivers"] == [{"name": "r", "webhook_configs": [{"url": "http://h/hook", "send_resolved": True}]}]
    assert made["route"]["group_wait"] == "3000ms"


def test_breaches_are_told_to_the_embedded_alertmanager_where_there_is_one_and_no_other_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "_installed", lambda names: "/usr/bin/alertmanager")
    assert monitoring.told(settings).alertmanager_url == "http://127.0.0.1:4444"
    other = settings.model_copy(update={"alertmanager_url": "http://other:9093"})
    assert monitoring.told(other) == other
    monkeypatch.setattr(monitoring, "_installed", lambda names: None)
    assert monitoring.told(settings) == settings
    assert monitoring.declare(settings, 0) == []
