"""Prometheus and Alertmanager in the embedded stack, where they are installed, configured from `monitoring/`.

Those are written for machines with names and for waits of minutes; here the addresses are this machine's, and a drill
may shorten every window.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from freshet.settings import CHECKOUT, Settings
from local import readiness
from local.process import Process

PROMETHEUS: Final = ("prometheus",)
ALERTMANAGER: Final = ("prometheus-alertmanager", "alertmanager")
FILES: Final = CHECKOUT / "monitoring"
KEPT: Final = "--storage.tsdb.retention.time=7d"

WAITS: Final = ("for", "keep_firing_for", "interval", "group_wait", "group_interval", "repeat_interval")
"""Keys of rules and routes whose value is a duration that a drill shortens."""

_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_IN_EXPRESSION: Final = re.compile(r"(?<=\[)[\dsmhdw:]+(?=\])|(?<=\boffset )\d+[smhdw]+")
_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def declare(settings: Settings, niceness: int) -> list[Process]:
    """Those of the two that are installed."""
    address = "127.0.0.1:{}".format
    return [
        Process(
            name=name,
            command=(program, *arguments, f"--web.listen-address={address(port)}", "--log.format=json"),
            ready=readiness.http(port, "/-/ready"),
            ports={f"{name.upper()}_PORT": port},
            folder=settings.state_dir / name,
            niceness=niceness,
            awaited=False,
        )
        for name, program, port, arguments in (
            (
                "prometheus", _installed(PROMETHEUS), settings.prometheus_port,
                ("--config.file=prometheus.yml", "--storage.tsdb.path=data", KEPT),
            ),
            (
                "alertmanager", _installed(ALERTMANAGER), settings.alertmanager_port,
                # one of its kind: nobody to gossip with
                ("--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="),
            ),
        )
        if program
    ]  # fmt: skip


def told(settings: Settings) -> Settings:
    """The settings with the embedded Alertmanager as who is told of breaches, where there is one and no other."""
    if settings.alertmanager_url or not (settings.monitoring and _installed(ALERTMANAGER)):
        return settings
    return settings.model_copy(update={"alertmanager_url": f"http://127.0.0.1:{settings.alertmanager_port}"})


def sentences(settings: Settings) -> list[str]:
    """Where those that run are found."""
    names = {"prometheus": "Prometheus", "alertmanager": "alerts"}
    return [
        f"{names[process.name]} at http://127.0.0.1:{port}/"
        for process in (declare(settings, 0) if settings.monitoring else ())
        for port in process.ports.values()
    ]


def prepare(settings: Settings, scraped: Mapping[str, Sequence[int]]) -> None:
    """Write both configurations and the rules. `scraped` are the ports of the metrics by job."""
    rules = settings.state_dir / "prometheus" / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    for file in rules.glob("*.yml"):
        file.unlink()
    for file in sorted((FILES / "rules").glob("*.yml")):
        _write(rules / file.name, scaled(_read(file), settings.alert_time_scale))
    _write(
        settings.state_dir / "prometheus" / "prometheus.yml",
        prometheus(_read(FILES / "prometheus.yml"), settings, scraped),
    )
    folder = settings.state_dir / "alertmanager"
    folder.mkdir(exist_ok=True)
    _write(folder / "alertmanager.yml", alertmanager(_read(FILES / "alertmanager.yml"), settings))


def prometheus(
    configuration: dict[str, Any], settings: Settings, scraped: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """Prometheus' configuration for this machine."""
    every = f"{settings.scrape_interval_s}s"
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in scraped[name]]}]}
        for name in (job["job_name"] for job in configuration["scrape_configs"])
        if name in scraped
    ]
    if not _installed(ALERTMANAGER):
        jobs = [job for job in jobs if job["job_name"] != "alertmanager"]
    heard = [{"static_configs": [{"targets": [f"127.0.0.1:{settings.alertmanager_port}"]}]}]
    return {
        **configuration,
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "alerting": {"alertmanagers": heard if _installed(ALERTMANAGER) else []},
        "scrape_configs": jobs,
    }


def alertmanager(configuration: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Alertmanager's configuration: every receiver posts to the webhook of the settings, or is silent without one."""
    url = settings.alertmanager_webhook_url.get_secret_value()
    hooks = {"webhook_configs": [{"url": url, "send_resolved": True}]} if url else {}
    receivers = [{"name": one["name"], **hooks} for one in configuration["receivers"]]
    return {**scaled(configuration, settings.alert_time_scale), "receivers": receivers}


def scaled(tree: Any, factor: float) -> Any:
    """The same rules or routes with every wait and every range of an expression multiplied by a factor."""
    if factor == 1:
        return tree
    if isinstance(tree, list):
        return [scaled(one, factor) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: _scaled(name, value, factor) for name, value in tree.items()}


def _scaled(name: str, value: Any, factor: float) -> Any:
    if isinstance(value, str) and name == "expr":
        return _IN_EXPRESSION.sub(lambda found: _shorter(found[0], factor), value)
    if isinstance(value, str) and name in WAITS:
        return _shorter(value, factor)
    return scaled(value, factor)


def _shorter(duration: str, factor: float) -> str:
    return _DURATION.sub(lambda part: f"{max(1, round(int(part[1]) * _MS[part[2]] * factor))}ms", duration)


def _installed(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def _read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text()))


def _write(file: Path, configuration: Any) -> None:
    # it may hold the address of a receiver, which may be secret
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(configuration, sort_keys=False))
