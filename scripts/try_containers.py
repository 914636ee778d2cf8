"""Runs compose.yaml without Docker, on Linux and as root: `.venv/bin/python scripts/try_containers.py [--airflow]`.

Each service of ours becomes a process in namespaces that are made like its container: the packages of its image on the
Python of the system, the files that its target copies, its environment, secrets, volumes and file systems in memory, a
root that is read-only, the user 10001, no capability, no new privilege. Redpanda and Postgres are the embedded engines,
at their ports. Then the `freshet` of the image `command` asks a question, balances the books, looks whether an upgrade
could go on, and makes a backup. The ports of compose.yaml must be free, and the system needs a Python 3.11.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet import probe
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings, Source, load_settings
from local import deployment, launch, ports, stack
from local.images import IMAGES
from scripts.try_images import installed
from tests.containers import command, compose, filled, health, lineage

SERVICES = compose()["services"]
CORE = (
    "spark-master", "eventstreams", "wikidata", "spark-worker", "serve", "lake", "indexer", "context", "api",
    "producer", "ui", "exporter",
)  # fmt: skip
AIRFLOW = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
ASKED = (
    ("ask", "What is changing about Climate change?"),
    ("audit",),
    ("doctor", "--upgrade"),
    ("backup", "/var/lib/freshet/state/backup"),
)
PYTHON = Path("/usr/bin/python3")
PATIENCE_S = 300
DOCUMENTS = 200
USER = 10001
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """A folder with what stands for images, volumes and the rest of a machine; and the processes that run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # nobody else on the machine is in the way
        self.engines = load_settings(
            state_dir=folder / "engines", kafka_port=9092, kafka_controller_port=ports.find_free(1)[0],
            postgres_port=5432, airflow=False, monitoring=False, source=Source.LIVE,
        )  # fmt: skip

    def prepare(self) -> None:
        """Images, engines and secrets."""
        for name in IMAGES:
            installed(name, self._folder / "images" / name, PYTHON)
            for script in (self._folder / "images" / name / "venv" / "bin").iterdir():
                _move(script, str(self._folder / "images" / name / "venv"))
        launch.up(self.engines, detach=True, report=lambda _: None, only=stack.ENGINES)
        deployment.initialise(self._folder, simulated=True)
        address = _address(self.engines)
        (self._folder / deployment.SECRETS / "freshet_postgres_dsn").write_text(address)
        (self._folder / "hosts").write_text(f"127.0.0.1 localhost {' '.join(SERVICES)}\n")
        known = Path("/etc/passwd").read_text()
        (self._folder / "passwd").write_text(f"{known}freshet:x:{USER}:{USER}::/var/lib/freshet:/usr/sbin/nologin\n")

    def start(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        """Start a service, with other words than its command if they are given."""
        script = self._folder / f"{name}.sh"
        script.write_text("\n".join(["set -e", f"hostname {name}", *self._mounts(name), self._exec(name, words)]))
        with (self._folder / f"{name}.log").open("ab") as log:
            output = None if words else log
            self._running[name] = subprocess.Popen(
                ["unshare", "--mount", "--uts", "sh", script], stdout=output, stderr=output, start_new_session=True
            )
        return self._running[name]

    def once(self, name: str, *words: str) -> None:
        """Run a service to its end. Raises PermanentError when that is no good one."""
        if self.start(name, *words).wait(PATIENCE_S):
            raise PermanentError(f"{name} failed:\n{(self._folder / f'{name}.log').read_text()[-3000:]}")
        sys.stdout.write(f"{name}: done\n")

    def until_well(self, name: str) -> None:
        """Wait for its health check. Raises PermanentError when it does not come."""
        url, *part = health(SERVICES[name])[3:]
        began = time.monotonic()
        while not probe.is_well(url.replace("airflow-api-server", "127.0.0.1"), *part):
            if time.monotonic() - began > PATIENCE_S or self._running[name].poll() is not None:
                raise PermanentError(f"{name} is not well:\n{(self._folder / f'{name}.log').read_text()[-3000:]}")
            time.sleep(0.5)
        sys.stdout.write(f"{name}: well\n")
        sys.stdout.flush()

    def end(self) -> None:
        """End everything."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._running.values():
                if process.poll() is None:
                    os.killpg(process.pid, number)
            for process in self._running.values():
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    continue
        launch.down(self.engines)

    def _mounts(self, name: str) -> list[str]:
        service = SERVICES[name]
        image = self._folder / "images" / _target(name)
        lines = [
            "mount --make-rprivate /",
            "mount -t tmpfs tmpfs /opt",
            "mkdir -p /opt/freshet /opt/venv /opt/jars /var/lib/freshet",
            f"mount --bind {image}/app /opt/freshet",
            f"mount --bind {image}/venv /opt/venv",
            f"mount --bind {load_settings().jars_dir} /opt/jars",
            f"mount --bind {self._folder}/hosts /etc/hosts",
            f"mount --bind {self._folder}/passwd /etc/passwd",
            f"mount -t tmpfs -o uid={USER},gid={USER} tmpfs /var/lib/freshet",
            f"install -d -o {USER} -g {USER} /var/lib/freshet/lake /var/lib/freshet/state",
            "mount -t tmpfs tmpfs /run",
            "mkdir /run/secrets",
        ]
        for mount in map(filled, service.get("volumes", ())):
            source, _, rest = mount.rpartition(":") if ":" not in mount else mount.partition(":")
            path, _, mode = rest.partition(":")
            volume = self._folder / "volumes" / (source or name)
            volume.mkdir(parents=True, exist_ok=True)
            os.chown(volume, USER, USER)
            lines += [f"mount --bind {volume} {path}", *([f"mount -o remount,ro,bind {path}"] if mode else [])]
        for secret in service.get("secrets", ()):
            lines += [f"touch /run/secrets/{secret}"]
            lines += [f"mount --bind {self._folder}/{deployment.SECRETS}/{secret} /run/secrets/{secret}"]
        for one in service["tmpfs"]:
            path, _, given = one.partition(":")
            # as Docker mounts them
            options = {"nosuid", "nodev", "noexec", *given.split(",")}
            options -= {"exec", "noexec"} if "exec" in options else set()
            lines += [f"mount -t tmpfs -o {','.join(sorted(options))} tmpfs {path}"]
        fixed = ("/var/lib/freshet", "/opt/freshet", "/opt/venv", "/opt/jars", "/")
        return [*lines, *(f"mount -o remount,ro,bind {path}" for path in fixed)]

    def _exec(self, name: str, words: tuple[str, ...]) -> str:
        service = SERVICES[name]
        environment = {"HOME": "/var/lib/freshet"}
        for stage in lineage(_target(name)):
            for line in stage.all("ENV"):
                environment |= dict(part.split("=", maxsplit=1) for part in shlex.split(line))
        environment["PATH"] = environment["PATH"].replace("$PATH", SYSTEM_PATH)
        given = {key: filled(str(value), **deployment.SIMULATED) for key, value in service["environment"].items()}
        words = words and ("freshet", *words)
        held = (
            "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs", "env", "-i", *(f"{key}={value}" for key, value in (environment | given).items()),
        )  # fmt: skip
        return f"cd /opt/freshet && exec {shlex.join([*held, *(words or map(filled, command(service)))])}"


def _target(name: str) -> str:
    return str(SERVICES[name]["build"]["target"])


def _move(script: Path, venv: str) -> None:
    """Have it run by the Python of the place where it will be seen."""
    if script.is_file() and not script.is_symlink() and (text := script.read_bytes()).startswith(b"#!"):
        script.write_bytes(text.replace(venv.encode(), b"/opt/venv"))


def _address(engines: Settings) -> str:
    return engines.conninfo.replace("127.0.0.1", "postgres")


@retry(retry=retry_if_result(lambda there: there < DOCUMENTS), wait=wait_fixed(1), stop=stop_after_delay(PATIENCE_S))
def until_documents() -> int:
    """Wait until there is something to ask about."""
    found = httpx.get("http://127.0.0.1:18080/v1/freshness", timeout=10, trust_env=False).raise_for_status()
    return int(found.json()["documents"])


def main() -> None:
    """Start everything, ask, and end everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--airflow", action="store_true", help="with Airflow, and a replay by it")
    airflow = parser.parse_args().airflow
    folder = Path(tempfile.mkdtemp(prefix="freshet-containers-", dir="/var/tmp"))
    folder.chmod(0o755)
    machine = Machine(folder)
    try:
        machine.prepare()
        machine.once("prepare")
        for name in CORE:
            machine.start(name)
            machine.until_well(name)
        if airflow:
            machine.once("airflow-init")
            for name in AIRFLOW:
                machine.start(name)
                machine.until_well(name)
        until_documents()
        for words in (*ASKED, *([("replay", "--offsets", "0:0-99")] if airflow else [])):
            machine.once("command", *words)
    finally:
        machine.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.platform != "linux" or os.geteuid():
        sys.exit(f"it needs Linux and root, for namespaces; see {CHECKOUT / 'docs' / 'deployment.md'}")
    main()
