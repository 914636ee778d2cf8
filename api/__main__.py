"""`python -m api`: serve until told to stop; SIGTERM and Ctrl-C finish what is under way and exit with 0."""

import signal
import sys
from contextlib import suppress

from api import server as serving
from api.app import create_app
from freshet.errors import ConfigError, PermanentError, TransientError
from freshet.settings import Settings, load_settings
from freshet.store.migrate import lacking
from freshet.telemetry import logs, metrics


def main() -> None:
    """Read the settings, listen, serve."""
    # uvicorn raises the signal again once it has shut down: this is what ends the process then, and before it listens.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.exit(str(error))
    logs.configure("api", settings.log_level)
    metrics.only("api")
    _refuse_newer(settings)
    serving.allow_files()
    # an answer that a model is writing has its time
    grace_s = settings.answer_timeout_s + serving.GRACE_S
    try:
        sockets = serving.sockets(settings.api_host, settings.api_port, settings.api_also_at)
    except OSError as error:
        sys.exit(f"port {settings.api_port} or {settings.api_also_at} cannot be listened on: {error}")
    server = serving.make(create_app(settings), settings.api_host, settings.api_port, grace_s)
    server.run(sockets)
    if not server.started:
        sys.exit(1)


def _refuse_newer(settings: Settings) -> None:
    """End when the store is newer than this code. One that is away is waited for by whoever asks."""
    try:
        with suppress(TransientError, ConfigError):
            lacking(settings.conninfo)
    except PermanentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
