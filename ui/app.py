"""The application: Gradio's page at /, and beside it what the page's scripts fetch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import gradio as gr
from fastapi import FastAPI, Query
from fastapi import Path as PathPart
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from freshet.settings import Settings
from freshet.telemetry import metrics, traces
from ui import matching, render
from ui.client import ApiAwayError, Client, RefusedError
from ui.headers import Headers
from ui.live import Live
from ui.page import build
from ui.services import Services
from ui.theme import HEAD, THEME

FILES: Final = Path(__file__).parent / "static"


def create_app(settings: Settings) -> FastAPI:
    """The pages for these settings. They start although the API is away, and say so."""
    client = Client(settings)
    services = Services(client, Live(client))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with traces.configured("ui", settings):
            services.live.start()
            metrics.READY.set(1)
            yield
            metrics.READY.set(0)
            await services.live.stop()
            await client.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/freshet", StaticFiles(directory=FILES), "files")
    _routes(app, services)
    mounted: FastAPI = gr.mount_gradio_app(
        app, build(services), "/",
        ssr_mode=False, footer_links=[], run_history=False, show_error=False, max_file_size=1, mcp_server=False,
        theme=THEME, head=HEAD,
        allowed_paths=[], app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )  # fmt: skip
    mounted.add_middleware(Headers, settings.allowed_hosts)
    return mounted


def _routes(app: FastAPI, services: Services) -> None:
    @app.get("/live")
    async def live(after: Annotated[str, Query(max_length=100)] = "") -> StreamingResponse:
        """Edits and the state of the pipeline, as they come."""
        frames = services.live.follow(after)
        return StreamingResponse(frames, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    @app.get("/matching")
    async def match(question: Annotated[str, Query(min_length=1, max_length=1000)]) -> JSONResponse:
        """Ids of the newest edits that are about a question."""
        return JSONResponse(await matching.newest(services.client, question))

    @app.get("/trace/{doc_id}")
    async def trace(doc_id: Annotated[str, PathPart(max_length=200)]) -> HTMLResponse:
        """The way of one document, as a part of the page."""
        try:
            found = await services.client.get(f"/v1/documents/{doc_id}/trace")
        except RefusedError as error:
            return HTMLResponse(render.problem("There is no trace to show", str(error)), error.status)
        except ApiAwayError as error:
            return HTMLResponse(render.problem("The API does not answer", f"{error}. Try again in a moment."), 503)
        return HTMLResponse(render.trace(found))

    @app.get("/healthz")
    @app.get("/readyz")
    async def ready() -> PlainTextResponse:
        """It serves pages, whether or not the API answers."""
        return PlainTextResponse("ok\n")

    @app.get("/metrics")
    async def exposition() -> Response:
        """Metrics in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
