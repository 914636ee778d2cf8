"""House rules of the Dockerfile: pinned, without root and build tools, with just what an image's processes import."""

import importlib.metadata
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT
from local.images import IMAGES, LOCK, TOOLS, locked
from tests.containers import copied, exec_form, lineage, reached, stages

HADOLINT = CHECKOUT / ".cache" / "tools" / "bin"
STAGES = stages()
TEXT = (CHECKOUT / "Dockerfile").read_text()
NEVER = {
    # within a function that only DAGs call
    "openlineage": set(IMAGES) - {"airflow"},
    # within functions that fetch jars and that open pages
    "pyspark": {"command"},
    "playwright": {"command"},
}
"""Modules that are imported in functions which the images do not call."""

EVERY_IMAGE = pytest.mark.parametrize("image", IMAGES)
EVERY_SERVICE = pytest.mark.parametrize("image", [image for image in IMAGES if image != "command"])


@cache
def distributions() -> dict[str, list[str]]:
    """Who provides each top-level module here."""
    return {name: list(owners) for name, owners in importlib.metadata.packages_distributions().items()}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(image: str) -> set[str]:
    """The packages that an image has."""
    lines = locked((CHECKOUT / LOCK).read_text(), IMAGES[image].packages)
    return {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lines, flags=re.MULTILINE)}


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=f"{HADOLINT}:/usr/local/bin:/usr/bin")
    if not hadolint:
        pytest.skip("hadolint is not installed: scripts/containers.sh")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout


def test_bases_from_elsewhere_are_pinned_and_are_one() -> None:
    bases = {stage.base for stage in STAGES.values() if stage.base not in STAGES}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases.pop())


def test_the_base_has_a_python_that_the_project_is_for() -> None:
    (version,) = re.findall(r"FROM python:(3\.\d+)", TEXT)
    wanted = re.search(r'requires-python = ">=(3\.\d+)', (CHECKOUT / "pyproject.toml").read_text())
    assert wanted
    assert version == wanted[1]


@EVERY_IMAGE
def test_an_image_does_not_run_as_root_and_ends_with_its_command(image: str) -> None:
    stage = STAGES[image]
    assert stage.all("USER") == ["10001:10001"]
    assert [name for name, _ in stage.instructions][-1] == "CMD"
    assert not [one for one in ("ADD", "VOLUME") if stage.all(one)]


@EVERY_SERVICE
def test_an_image_says_how_it_is_and_has_one_command(image: str) -> None:
    stage = STAGES[image]
    (check,) = stage.all("HEALTHCHECK")
    assert exec_form(check.partition("CMD ")[2])[:3] == ["python", "-m", "freshet.probe"]
    (words,) = stage.all("CMD")
    assert exec_form(words)[:2] == ["python", "-m"]
    assert not stage.all("ENTRYPOINT")


def test_the_command_is_freshet_itself() -> None:
    stage = STAGES["command"]
    assert (stage.all("ENTRYPOINT"), stage.all("CMD")) == (['["freshet"]'], ['["--help"]'])
    assert 'freshet = "local.cli:main"' in (CHECKOUT / "pyproject.toml").read_text()


@EVERY_IMAGE
def test_an_image_has_nothing_of_what_builds_it(image: str) -> None:
    assert "builder" not in [stage.name for stage in lineage(image)]
    taken = {line.split()[0] for stage in lineage(image) for line in stage.all("COPY") if line.startswith("--from=")}
    assert taken <= {f"--from={image}-packages", "--from=jars"}
    assert not packages(image) & {plain(tool) for tool in TOOLS}
    assert not [run for stage in lineage(image) for run in stage.all("RUN") if re.search(r"\bpip\b|\buv\b", run)]


@EVERY_IMAGE
def test_an_image_has_every_module_of_ours_that_its_processes_can_import(image: str) -> None:
    assert reached(IMAGES[image].modules).files - copied(image) == set()


@EVERY_IMAGE
def test_an_image_has_every_package_that_its_processes_can_import(image: str) -> None:
    has = packages(image)
    missing = {
        name
        for name in reached(IMAGES[image].modules).others
        if not {plain(owner) for owner in distributions().get(name.partition(".")[0], [])} & has
    }
    assert {name for name in missing if image not in NEVER.get(name.partition(".")[0], ())} == set()


@EVERY_IMAGE
def test_an_image_has_the_packages_of_its_own_name(image: str) -> None:
    (run,) = STAGES[f"{image}-packages"].all("RUN")
    assert run.startswith(f"python -m local.images {image} > image.lock && ")
    assert "--no-deps --require-hashes --requirement image.lock" in run


def test_rooms_are_spared_what_they_do_not_use() -> None:
    heavy = {"pyspark", "apache-airflow-core", "gradio", "onnxruntime", "deltalake"}
    assert {image: sorted(packages(image) & heavy) for image in IMAGES} == {
        "producer": [],
        "indexer": ["onnxruntime"],
        "describer": [],
        "api": ["deltalake", "onnxruntime"],
        "ui": ["gradio"],
        "exporter": ["deltalake"],
        "eventstreams": [],
        "spark": ["deltalake", "pyspark"],
        "airflow": ["apache-airflow-core", "deltalake", "onnxruntime", "pyspark"],
        "command": ["deltalake", "onnxruntime"],
    }


def test_jars_are_checked_and_only_images_with_a_jvm_have_them() -> None:
    assert STAGES["jars"].all("ARG") == ['JAR_SETS="spark lineage"']
    assert "python -m local.jars $JAR_SETS" in STAGES["jars"].all("RUN")
    having = {image for image in IMAGES if "--from=jars /opt/jars /opt/jars" in STAGES[image].all("COPY")}
    assert having == {image for image in IMAGES if "java" in [stage.name for stage in lineage(image)]}
    assert all("FRESHET_JARS_DIR=/opt/jars" in STAGES[image].all("ENV") for image in having)


def test_packages_of_the_system_are_few_pinned_and_leave_no_lists() -> None:
    runs = [run for stage in STAGES.values() for run in stage.all("RUN") if "apt-get install" in run]
    assert runs
    for run in runs:
        assert "--no-install-recommends" in run
        assert run.endswith("rm -rf /var/lib/apt/lists/*")
        assert re.search(r"openjdk-17-jre-headless=17\.", run)


def test_whatever_is_copied_is_there_and_let_through() -> None:
    let_through = [line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (CHECKOUT / ".dockerignore").read_text().splitlines()[1] == "*"
    for stage in STAGES.values():
        for line in stage.all("COPY"):
            if line.startswith("--from="):
                assert line.split()[0].removeprefix("--from=") in STAGES
                continue
            for source in line.split()[:-1]:
                assert (CHECKOUT / source).exists(), source
                assert Path(source).parts[0] in let_through, source


def test_a_package_that_is_not_in_the_lock_is_told_of() -> None:
    with pytest.raises(KeyError, match="not-there"):
        locked((CHECKOUT / LOCK).read_text(), ("not-there",))


def test_a_package_brings_what_it_needs_in_every_version_that_the_lock_has() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:1\n    # via freshet (pyproject.toml)\n"
        "b==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:2\n    # via\n    #   a\n    #   other\n"
        "b==1 ; python_full_version < '3.12' \\\n    --hash=sha256:3\n    # via a\n"
        "c==1 \\\n    --hash=sha256:4\n    # via B\n"
        "other==1 \\\n    --hash=sha256:5\n    # via freshet (pyproject.toml:dev)\n"
    )
    assert locked(lock, ("A",)) == lock[: lock.index("other==1")]
