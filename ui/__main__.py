"""`python -m ui`: serve the pages until told to stop; SIGTERM and Ctrl-C exit with 0."""

import os
import signal
import sys

import uvicorn

from freshet.errors import ConfigError
from freshet.settings import load_settings
from freshet.telemetry import logs, metrics

GRACE_S = 3


def main() -> None:
    """Read the settings, listen, serve."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.exit(str(error))
    logs.configure("ui", settings.log_level)
    metrics.only("ui")
    # Gradio would tell its makers of every start, and share a folder with whoever else uses it here
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(settings.state_dir / "ui")}
    from ui.app import create_app

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.ui_host,
            port=settings.ui_port,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
