"""`python -m api`: serve until told to stop; SIGTERM and Ctrl-C finish what is under way and exit with 0."""

import signal
import sys

import uvicorn

from api.app import create_app
from freshet.errors import ConfigError
from freshet.settings import load_settings
from freshet.telemetry import logs

GRACE_S = 5
"""What an open answer gets beyond the time that it may take anyway."""


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
    app = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.answer_timeout_s) + GRACE_S,
        )
    )
    app.state.ending = lambda: server.should_exit
    server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
