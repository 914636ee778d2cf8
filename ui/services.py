"""What the pages need, made once a process."""

from dataclasses import dataclass

from ui.client import Client
from ui.live import Live


@dataclass(frozen=True)
class Services:
    """The API's client, and what all pages follow."""

    client: Client
    live: Live
