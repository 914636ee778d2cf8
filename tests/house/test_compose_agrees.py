"""compose.yaml starts what the embedded stack starts, with the same settings, and agrees with what it mounts."""

from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from freshet.log import MAX_RECORD_BYTES
from freshet.settings import CHECKOUT, PREFIX, Settings, Source, load_settings
from local import cluster, postgres, readiness, stack
from local.process import Process
from tests.containers import command, compose, filled, health

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
ELSEWHERE = {"kafka_bootstrap_servers": "broker:9092", "postgres_dsn": "host=there"}
SETTINGS = cluster.told(load_settings(source=Source.SIMULATED, cluster=True, spark_workers=1, **ELSEWHERE))
NAMES = {"spark-worker-1": "spark-worker"}
"""Processes that have another name there."""

PROCESSES = {NAMES.get(process.name, process.name): process for process in stack.declare(SETTINGS)}
OTHERS = {"prometheus", "alertmanager"}
"""Processes that are another build of the same program there."""

SPARK = {"spark-master": cluster.MASTER_CLASS, "spark-worker": cluster.WORKER_CLASS}
ROOMS = {name: process for name, process in PROCESSES.items() if name not in {*OTHERS, *SPARK}}
EVERY_ROOM = pytest.mark.parametrize(("name", "process"), ROOMS.items(), ids=ROOMS)
PORTS = {"prometheus": 9090, "alertmanager": 9093}
NOT_OF_THE_STACK = {"redpanda", "console", "postgres", "prepare", "airflow-init", "command", "grafana"}


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): filled(value)
        for name, value in service.get("environment", {}).items()
        if name.startswith(PREFIX)
    }


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def test_every_process_of_the_embedded_stack_is_a_service_and_no_other_runs_a_room() -> None:
    assert set(PROCESSES) | OTHERS == set(SERVICES) - NOT_OF_THE_STACK


@EVERY_ROOM
def test_a_service_runs_the_module_that_the_embedded_stack_runs(name: str, process: Process) -> None:
    python, *words = command(SERVICES[name])
    assert python == "python"
    assert tuple(words) == process.command[1:]


@EVERY_ROOM
def test_a_service_is_asked_what_the_embedded_stack_asks(
    name: str, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def get(url: str, **_: Any) -> httpx.Response:
        asked.append(urlsplit(url))
        raise httpx.ConnectError("nobody is there")

    monkeypatch.setattr(readiness.httpx, "get", get)
    assert not process.ready()
    python, flag, probe, url, *part = health(SERVICES[name])
    assert (python, flag, probe) == ("python", "-m", "freshet.probe")
    assert (urlsplit(url).port, urlsplit(url).path) == (asked[0].port, asked[0].path)
    component = name.removeprefix("airflow-")
    assert part == ([stack.AIRFLOW[component]] if component in stack.AIRFLOW else [])
    assert urlsplit(url).hostname == (
        "127.0.0.1" if component not in ("scheduler", "dag-processor") else "airflow-api-server"
    )


@pytest.mark.parametrize("name", SPARK)
def test_master_and_workers_are_those_of_the_embedded_cluster(name: str) -> None:
    service, process = SERVICES[name], PROCESSES[name]
    words = command(service)
    assert words[:2] == ["spark-class", SPARK[name]]
    assert process.command[1] == SPARK[name]
    given = {option: filled(value) for option, value in pairwise(words) if option.startswith("--")}
    for option, value in pairwise(process.command):
        if option in ("--cores", "--memory"):
            assert given[option] == value
    assert health(service) == ["python", "-m", "freshet.probe", f"http://127.0.0.1:{given['--webui-port']}/json/"]
    assert cluster.HEALTH_PATH == "/json/"
    here = {key: value.replace(str(CHECKOUT), "/opt/freshet") for key, value in process.environment.items()}
    assert service["environment"].items() >= {key: here[key] for key in here if key != "SPARK_HOME"}.items()


@EVERY_ROOM
def test_a_service_waits_for_what_the_embedded_stack_waits_for(name: str, process: Process) -> None:
    assert {NAMES.get(other, other) for other in process.after} <= set(SERVICES[name].get("depends_on", {}))


@EVERY_ROOM
def test_a_service_has_as_long_to_end_as_in_the_embedded_stack(name: str, process: Process) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) >= process.stop_seconds


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_only_settings_that_exist_and_values_that_they_take(name: str) -> None:
    given = settings_of(SERVICES[name])
    assert set(given) <= set(Settings.model_fields)
    if not given:
        return
    settings = load_settings(**given)
    assert settings.listen_host == settings.api_host == settings.ui_host == "0.0.0.0"
    assert settings.airflow_url
    assert not settings.airflow


@EVERY_ROOM
def test_a_service_has_the_ports_of_the_settings_whatever_the_machine_has(name: str, process: Process) -> None:
    given = settings_of(SERVICES[name])
    assert given["port_offset"] == "0"
    for setting in process.ports:
        assert given[setting.lower()] == str(Settings.model_fields[setting.lower()].default)


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_addresses_of_others_are_services_and_their_ports(name: str) -> None:
    settings = load_settings(**settings_of(SERVICES[name]))
    urls = [entry.split("=")[1] for entry in settings.process_urls]
    urls += [settings.ui_api_url, settings.alertmanager_url, settings.airflow_url]
    for url in map(urlsplit, urls):
        assert url.hostname in SERVICES
        assert url.port == (PORTS.get(url.hostname) or urlsplit(health(SERVICES[url.hostname])[3]).port)
    for setting in (f"//{settings.bootstrap_servers}", settings.spark_master):
        assert urlsplit(setting).hostname in SERVICES
    if settings.spark_driver_host != "127.0.0.1":
        assert settings.spark_driver_host in SERVICES


def test_everybody_who_needs_the_lake_has_it_at_the_same_path() -> None:
    (root,) = {settings_of(SERVICES[name])["lake_root"] for name in ROOMS}
    having = {
        name: mount for name, one in SERVICES.items() for mount in one.get("volumes", ()) if mount.startswith("lake:")
    }
    assert set(having) == {"serve", "lake", "spark-worker", "api", "exporter", "airflow-scheduler", "command"}
    assert {mount.split(":")[1] for mount in having.values()} == {root.removeprefix("file://")}


def test_prometheus_scrapes_services_at_their_ports() -> None:
    scraped = stack.scraped(SETTINGS)
    jobs = yaml.safe_load((CHECKOUT / "monitoring" / "prometheus.yml").read_text())
    targets = {}
    for job in jobs["scrape_configs"]:
        named = [(name, one["port"]) for one in job.get("dns_sd_configs", ()) for name in one["names"]]
        named += [target.split(":") for one in job.get("static_configs", ()) for target in one["targets"]]
        ((host, port),) = named
        targets[job["job_name"]] = (host, int(port))
    assert targets.pop("prometheus") == ("localhost", PORTS["prometheus"])
    assert targets == {name: (name, PORTS.get(name, port)) for name, (port,) in scraped.items() if name != "prometheus"}
    assert set(targets) <= set(SERVICES)
    (told,) = jobs["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert told == f"alertmanager:{PORTS['alertmanager']}"


def test_several_indexers_are_found_by_the_addresses_of_their_name_and_nothing_holds_them_to_one() -> None:
    jobs = yaml.safe_load((CHECKOUT / "monitoring" / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs if "dns_sd_configs" in job] == ["indexer", "api"]
    assert not {"container_name", "hostname", "ports"} & set(SERVICES["indexer"])


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    folder = CHECKOUT / "monitoring" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == f"http://prometheus:{PORTS['prometheus']}"
    (provider,) = yaml.safe_load((folder / "dashboards" / "freshet.yml").read_text())["providers"]
    mounted = dict(mount.split(":")[:2] for mount in SERVICES["grafana"]["volumes"])
    assert mounted["./monitoring/grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./monitoring/grafana/provisioning/datasources"] == "/etc/grafana/provisioning/datasources"


def test_postgres_has_the_options_of_the_embedded_one() -> None:
    words = SERVICES["postgres"]["command"]
    given = dict(
        option.split("=", maxsplit=1) for flag, option in zip(words[1::2], words[2::2], strict=True) if flag == "-c"
    )
    assert given == {
        name: value
        for name, value in postgres.SERVER.items()
        if name not in ("listen_addresses", "unix_socket_directories")
    }
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_redpanda_takes_records_as_long_as_ours_and_makes_no_topic_unasked() -> None:
    taken = yaml.safe_load((CHECKOUT / "deploy" / "redpanda.yaml").read_text())
    assert taken["kafka_batch_max_bytes"] == MAX_RECORD_BYTES
    assert taken["auto_create_topics_enabled"] is False
    mounted = [mount.split(":") for mount in SERVICES["redpanda"]["volumes"]]
    assert ["./deploy/redpanda.yaml", "/etc/redpanda/.bootstrap.yaml", "ro"] in mounted


def test_the_stand_in_stream_is_what_a_simulation_reads() -> None:
    from local.deployment import SIMULATED
    from local.eventstreams.app import PATH

    url = urlsplit(SIMULATED["FRESHET_STREAM_URL"])
    assert (url.hostname, url.port, url.path) == ("eventstreams", SETTINGS.eventstreams_port, PATH)
    assert set(SIMULATED) <= set(SERVICES["producer"]["environment"])
