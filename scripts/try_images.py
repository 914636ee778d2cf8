"""Tries the images without Docker: `.venv/bin/python scripts/try_images.py [IMAGE ...]`.

For each target of the Dockerfile it installs the locked packages into an environment of its own, copies what the target
copies, and imports every module of ours that the image's processes can reach. It needs a package index.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from freshet.settings import CHECKOUT, PREFIX, load_settings
from local.images import IMAGES, LOCK, locked
from tests.containers import copied, reached

IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def installed(name: str, folder: Path, python: Path) -> None:
    """Make `venv` and `app` in a folder, as the image has them at /opt/venv and /opt/freshet.

    Raises CalledProcessError when something cannot be installed.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    certificates = {"UV_SYSTEM_CERTS": "true", **os.environ}
    environment, lock = folder / "venv", folder / "image.lock"
    folder.mkdir(parents=True, exist_ok=True)
    lock.write_text(locked((CHECKOUT / LOCK).read_text(), IMAGES[name].packages))
    subprocess.run([uv, "venv", "--quiet", "--python", python, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", environment / "bin" / "python", "--no-deps"]
    subprocess.run([*install, "--require-hashes", "--requirement", lock], env=certificates, check=True)
    # its version is asked for; its modules are the copied ones
    subprocess.run([*install, "--offline", _metadata(folder)], check=True)
    for file in copied(name):
        target = folder / "app" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((CHECKOUT / file).read_bytes())


def attempt(name: str, folder: Path) -> str:
    """Build what stands for the image, and import all. Returns what it has.

    Raises CalledProcessError when something is missing.
    """
    installed(name, folder, Path(sys.executable))
    modules = sorted(reached(IMAGES[name].modules).modules - {f"{one}.__main__" for one in IMAGES[name].modules})
    app, environment = folder / "app", folder / "venv"
    jars = {f"{PREFIX}JARS_DIR": str(load_settings().jars_dir)}
    plain = {"PATH": f"{environment}/bin:/usr/bin:/bin", "PYTHONPATH": str(app), "HOME": str(folder), **jars}
    subprocess.run([environment / "bin" / "python", "-c", IMPORT, *modules], check=True, cwd=app, env=plain)
    megabytes = sum(file.stat().st_size for file in environment.rglob("*") if file.is_file()) / 1e6
    return f"{len(modules)} modules import; packages have {megabytes:.0f} MB"


def _metadata(folder: Path) -> Path:
    """Freshet as a package without modules, as the Dockerfile makes it."""
    source = folder / "metadata"
    (source / "wheels").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((CHECKOUT / name).read_bytes())
    code = "from hatchling.build import build_editable; print(build_editable('wheels'))"
    made = subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True, text=True)
    return source / "wheels" / made.stdout.split()[-1]


def main() -> None:
    """Try the named images, or all."""
    for name in sys.argv[1:] or IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(f"{name}: {attempt(name, Path(folder))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
