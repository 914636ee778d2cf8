"""`python -m local.openai_server`: serves on 127.0.0.1 until SIGTERM."""

import signal
from typing import Annotated

import typer
import uvicorn

from freshet.telemetry import logs
from local.openai_server.app import OpenAIServer
from local.openai_server.faults import Fault


def main(
    port: Annotated[int, typer.Option(help="port to listen on")],
    delay: Annotated[float, typer.Option(min=0, help="how long an answer takes, s")] = 0.0,
    pieces: Annotated[int, typer.Option(min=1, help="pieces in which an answer is streamed")] = 20,
    fault: Annotated[
        Fault, typer.Option(help="what goes wrong, unless the model's name asks for something")
    ] = Fault.NONE,
) -> None:
    """Answer chat completions."""
    logs.configure("openai-server").info("serve", port=port)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after its own orderly end; without this that would look like a crash.
        signal.signal(number, signal.SIG_IGN)
    uvicorn.run(
        OpenAIServer(delay, pieces, fault),
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        backlog=4096,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    typer.run(main)
