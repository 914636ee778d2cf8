"""The API, as the command speaks to it."""

import httpx

from freshet.settings import Settings


def client(settings: Settings, timeout_s: float) -> httpx.Client:
    """A connection to the settings' API, which shows the key where one is set. No proxy stands between."""
    key = settings.api_key.get_secret_value()
    return httpx.Client(
        base_url=f"http://{settings.api_host}:{settings.api_port}",
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=timeout_s,
        trust_env=False,
    )
