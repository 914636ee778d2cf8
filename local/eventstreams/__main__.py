"""`python -m local.eventstreams`: serves until SIGTERM; exits 2 when a setting is wrong."""

import signal
import sys
from typing import Annotated

import typer
import uvicorn

from freshet.errors import ConfigError
from freshet.settings import load_settings
from freshet.telemetry import logs
from local.eventstreams.app import PATH, create_app
from local.eventstreams.faults import Faults

Every = Annotated[int, typer.Option(min=0, help="once in so many entries; 0: never")]


def main(
    disconnect_every: Every = 0,
    cut_every: Every = 0,
    stall_every: Every = 0,
    malformed_every: Every = 0,
    throttle_every: Annotated[int, typer.Option(min=0, help="once in so many connections; 0: never")] = 0,
    stall_s: Annotated[float, typer.Option(min=0, help="how long a stall lasts, s")] = 5.0,
    fault_seed: Annotated[int, typer.Option(help="where the faults are")] = 1,
) -> None:
    """Serve the recording or simulation that the settings name, with the faults that the options name."""
    faults = Faults(disconnect_every, cut_every, stall_every, malformed_every, throttle_every, stall_s, fault_seed)
    try:
        settings = load_settings()
        app = create_app(settings, faults)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    logs.configure("eventstreams", settings.log_level).info("serve", port=settings.eventstreams_port, path=PATH)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after its own orderly end; without this that would look like a crash.
        signal.signal(number, signal.SIG_IGN)
    # Streams have no end of their own: a second is enough to take leave of them.
    uvicorn.run(
        app,
        host=settings.listen_host,
        port=settings.eventstreams_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    typer.run(main)
