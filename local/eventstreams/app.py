"""The stand-in's HTTP face: the stream itself, and what was served of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from freshet.errors import DataError
from freshet.settings import Settings
from freshet.settings import Source as Wanted
from local.eventstreams import position
from local.eventstreams.faults import FaultPlan, Faults
from local.eventstreams.faults import asked as faults_asked
from local.eventstreams.recording import Recording
from local.eventstreams.served import Served, log_identity
from local.eventstreams.simulator import Simulation
from local.eventstreams.source import Source
from local.eventstreams.stream import EventStream

PATH = "/v2/stream/recentchange"
RETRY_AFTER_S = "1"
SAVE_EVERY_S = 1.0
IDS_AT_ONCE = 1000


def source_of(settings: Settings) -> Source:
    """What the settings want served. Raises ConfigError when the recording cannot be."""
    if settings.source is Wanted.RECORDING and settings.recording is not None:
        return Recording(settings.recording, retime=settings.retime)
    return Simulation(settings.simulator_seed)


def stream_identity(settings: Settings) -> str:
    """The name of the log that the stand-in serves, for `stream_id`. Raises ConfigError as `source_of` does."""
    return log_identity(source_of(settings), settings.rate)


def create_app(settings: Settings, faults: Faults) -> Starlette:
    """The stand-in. Raises ConfigError when there is nothing to serve."""
    served = Served(source_of(settings), settings.rate, settings.state_dir / "eventstreams.json")
    plan = FaultPlan(faults)

    async def stream(request: Request) -> Response:
        if not request.headers.get("user-agent"):
            return PlainTextResponse("Set a User-Agent that names a contact.\n", 403)
        if plan.throttles():
            return PlainTextResponse("Too many connections.\n", 429, headers={"Retry-After": RETRY_AFTER_S})
        try:
            return EventStream(served, plan, _start(request, served))
        except DataError as error:
            return PlainTextResponse(f"{error}\n", 400)

    async def said(_request: Request) -> Response:
        source = served.source
        names = {"source": source.name, "identity": served.identity}
        return JSONResponse({**names, "next": served.next, "total": source.total, "faults": dict(plan.counts)})

    def ids(request: Request) -> Response:
        return _served_ids(request, served)

    async def change(request: Request) -> Response:
        return _change(request, plan)

    async def well(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes = [
        Route(PATH, stream),
        Route("/-/served", said),
        Route("/-/served/ids", ids),
        Route("/-/fault", change),
        Route("/healthz", well),
        Route("/readyz", well),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        saving = asyncio.create_task(_save_regularly(served))
        yield
        saving.cancel()
        served.save_if_moved()

    return Starlette(routes=routes, lifespan=lifespan)


def _start(request: Request, served: Served) -> int:
    clock = served.clock()
    if last_event_id := request.headers.get("last-event-id"):
        start = position.after_id(last_event_id, clock)
        served.proven(start)
        return start
    if wanted := request.query_params.get("since"):
        return position.since(wanted, clock)
    return 0


def _served_ids(request: Request, served: Served) -> Response:
    upto = request.query_params.get("upto", str(served.next))
    if not upto.isdecimal():
        return PlainTextResponse("upto is not a number\n", 400)
    total = served.source.total
    count = int(upto) if total is None else min(int(upto), total)
    return StreamingResponse(_ids(served.source, count), media_type="application/x-ndjson")


def _change(request: Request, plan: FaultPlan) -> Response:
    """`?cut_every=200`: from now on so, and no other fault."""
    try:
        plan.faults = faults_asked(request.query_params)
    except DataError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return JSONResponse(asdict(plan.faults))


def _ids(source: Source, count: int) -> Iterator[str]:
    for first in range(0, count, IDS_AT_ONCE):
        rows = ((index, source.describe(index)) for index in range(first, min(first + IDS_AT_ONCE, count)))
        yield "".join(json.dumps({"index": index, "kind": row.kind, "id": row.id}) + "\n" for index, row in rows)


async def _save_regularly(served: Served) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        served.save_if_moved()
