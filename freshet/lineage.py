"""Names of what jobs read and write, as lineage events have them: those that OpenLineage prescribes for each kind.

Every function returns nothing where no events are sent, and the client is loaded only where they are.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from freshet.settings import Settings

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset

NAMESPACE: Final = "freshet"
"""Of all jobs."""

TIMEOUT_S: Final = 2
"""How long an event may take. Tasks of Airflow wait for it."""


def topics(settings: Settings, *names: str) -> list["Dataset"]:
    """Topics of the log."""
    namespace = f"kafka://{settings.bootstrap_servers.partition(',')[0]}"
    return _datasets(settings, ((namespace, name) for name in names))


def tables(settings: Settings, *layers: str) -> list["Dataset"]:
    """Delta tables of the lake."""
    return _datasets(settings, (_place(settings.lake.table(layer)) for layer in layers))


def relations(settings: Settings, *names: str) -> list["Dataset"]:
    """Tables of the store."""
    if not settings.openlineage_url:
        return []
    known = conninfo_to_dict(settings.conninfo)
    namespace = f"postgres://{known.get('host') or 'localhost'}:{known.get('port') or 5432}"
    return _datasets(settings, ((namespace, f"{known.get('dbname')}.public.{name}") for name in names))


def stream(settings: Settings) -> list["Dataset"]:
    """The event stream that the producer reads."""
    url = urlsplit(settings.stream_url)
    return _datasets(settings, [(f"{url.scheme}://{url.netloc}", url.path)])


def _place(uri: str) -> tuple[str, str]:
    url = urlsplit(uri)
    if url.scheme in ("", "file"):
        return "file", url.path
    return f"{url.scheme.replace('s3a', 's3')}://{url.netloc}", url.path.lstrip("/")


def _datasets(settings: Settings, named: Iterable[tuple[str, str]]) -> list["Dataset"]:
    if not settings.openlineage_url:
        return []
    from openlineage.client.event_v2 import Dataset

    return [Dataset(namespace=namespace, name=name) for namespace, name in named]
