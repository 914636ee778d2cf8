"""House rules of compose.yaml: every container is confined, pinned and watched, and four of them are public."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from freshet import __version__
from freshet.settings import CHECKOUT
from local import deployment
from tests.conftest import NO_COMPOSE
from tests.containers import compose, filled, health, lineage, stages

COMPOSE = compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONCE = {"prepare", "airflow-init", "command"}
"""Services that end. For the end of the first two others wait."""

WRITES = {"redpanda"}
"""Services whose own files are written: each says why."""

PUBLIC = {"api": 18080, "ui": 18086, "airflow-api-server": 18088, "grafana": 3000}
PROFILES = {"core", "airflow", "monitoring", "simulated", "console", "command"}
EVERY_SERVICE = pytest.mark.parametrize(("name", "service"), SERVICES.items(), ids=SERVICES)


def mounts(service: dict[str, Any]) -> list[list[str]]:
    """Source, path and maybe mode of each mount of a service."""
    return [filled(mount).split(":") for mount in service.get("volumes", ()) if ":" in mount]


@pytest.mark.parametrize("profiles", ["", "core", "core,airflow,monitoring", ",".join(sorted(PROFILES))])
def test_compose_itself_takes_it(profiles: str) -> None:
    """By `docker compose config` where there is one, else by the loader that is in it."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        words = [docker, "compose", "config", "--quiet"]
    elif (loader := CHECKOUT / ".cache" / "tools" / "bin" / "compose-spec").exists():
        words = [str(loader), "compose.yaml"]
    else:
        pytest.skip(f"{NO_COMPOSE}: scripts/containers.sh")
    environment = {**os.environ, "COMPOSE_PROFILES": profiles}
    done = subprocess.run(words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@EVERY_SERVICE
def test_a_container_has_no_rights_that_it_does_not_need(name: str, service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITES)
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)


@EVERY_SERVICE
def test_no_container_runs_as_root(name: str, service: dict[str, Any]) -> None:
    users = [service["user"]] if "user" in service else lineage(service["build"]["target"])[-1].all("USER")
    assert users
    assert re.fullmatch(r"[1-9]\d*:\d+", users[-1])


@EVERY_SERVICE
def test_a_container_is_bounded_restarted_and_asked_how_it_is(name: str, service: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    assert bool(health(service)) is (name not in ONCE)


@EVERY_SERVICE
def test_an_image_is_pinned_and_one_of_ours_is_built_here(name: str, service: dict[str, Any]) -> None:
    repository, _, tag = service["image"].rpartition(":")
    assert re.match(r"v?\d+\.\d+\.\d+", tag)
    if "build" in service:
        target = service["build"]["target"]
        assert (repository, tag) == (f"freshet-{target}", __version__)
        assert target in stages()


@EVERY_SERVICE
def test_every_service_is_in_a_profile(name: str, service: dict[str, Any]) -> None:
    assert len(service["profiles"]) == 1
    assert set(service["profiles"]) <= PROFILES


def test_four_services_are_published_and_by_default_to_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert {name: int(port.rpartition(":")[2]) for name, (port,) in published.items()} == PUBLIC
    for (port,) in published.values():
        assert filled(port).startswith("127.0.0.1:")
        assert filled(port, PUBLISH_ON="0.0.0.0").startswith("0.0.0.0:")
    host_ports = [filled(port).split(":")[1] for (port,) in published.values()]
    assert len(set(host_ports)) == len(host_ports)


@EVERY_SERVICE
def test_who_waits_for_another_waits_until_it_works_or_has_ended(name: str, service: dict[str, Any]) -> None:
    for other, wait in service.get("depends_on", {}).items():
        assert wait["condition"] == ("service_completed_successfully" if other in ONCE else "service_healthy"), other
        # what may be elsewhere, or left out, is in no profile then
        assert set(wait) - {"condition"} <= {"required"}
        elsewhere = set(SERVICES[other]["profiles"]) - set(service["profiles"])
        assert not elsewhere or wait.get("required") is False, f"{name} cannot start without the profile of {other}"


def test_volumes_and_secrets_are_used_and_what_is_used_is_declared() -> None:
    named = {source for service in SERVICES.values() for source, *_ in mounts(service) if not source.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert {secret for service in SERVICES.values() for secret in service.get("secrets", ())} == set(COMPOSE["secrets"])


def test_every_secret_is_a_file_that_init_makes() -> None:
    assert {name: one["file"] for name, one in COMPOSE["secrets"].items()} == {
        name: f"./{deployment.SECRETS}/{name}" for name in deployment.generated()
    }


def test_no_secret_is_in_the_file_or_in_an_environment() -> None:
    for name, service in SERVICES.items():
        secret = [key for key in service.get("environment", {}) if re.search("PASSWORD|SECRET|API_KEY|DSN", key)]
        assert all(key.endswith(("_FILE", "__FILE")) for key in secret), name


def test_whatever_is_mounted_from_the_checkout_is_there_and_cannot_be_written() -> None:
    for service in SERVICES.values():
        for source, _, *mode in mounts(service):
            if source.startswith("."):
                assert (CHECKOUT / source).exists(), source
                assert mode == ["ro"], source


def test_every_variable_has_a_default_or_a_line_that_init_writes() -> None:
    text = (CHECKOUT / "compose.yaml").read_text()
    assert "${" in text
    assert "${" not in filled(text)


def test_a_jvm_may_load_what_it_unpacks() -> None:
    jvms = {
        name for name, service in OURS.items() if "java" in [one.name for one in lineage(service["build"]["target"])]
    }
    assert jvms
    assert {name for name in jvms if SERVICES[name]["tmpfs"][0].startswith("/tmp:exec,")} == jvms
