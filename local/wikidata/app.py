"""The stand-in's HTTP face: a bare ASGI application whose faults can be changed while it runs."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from freshet.context_source import ORIGIN_HEADER, PATH
from local.wikidata import api
from local.wikidata.faults import Fault
from local.wikidata.items import Knowledge

LAG_S: Final = 6.1
HTML: Final = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"

Headers = Mapping[str, str]


@dataclass
class Counts:
    """What was asked: when each request came, how many were being answered at once at most, and the last one."""

    times: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    pages: int = 0
    asked: dict[str, str] = field(default_factory=dict)
    user_agents: set[str] = field(default_factory=set)


@dataclass
class Wikidata:
    """Answers after `delay_s`. `retry_after` is what it says when it refuses."""

    knowledge: Knowledge
    delay_s: float = 0.0
    fault: Fault = Fault.NONE
    retry_after: str = "1"
    counts: Counts = field(default_factory=Counts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        parameters = dict(parse_qsl(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True))
        match scope["path"]:
            case "/healthz" | "/readyz":
                await _send(send, 200, b"ok\n", {"Content-Type": "text/plain"})
            case "/-/counts":
                await _json(send, {"requests": len(self.counts.times), "most_at_once": self.counts.most_at_once})
            case "/-/fault":
                await self._change(parameters, send)
            case path if path == PATH:
                await self._counted(scope, parameters, receive, send)
            case _:
                await _send(send, 404, b"nothing is here\n", {"Content-Type": "text/plain"})

    async def _change(self, parameters: Mapping[str, str], send: Send) -> None:
        """`?fault=429&delay_s=0.3`: from now on so."""
        try:
            self.fault = Fault(parameters.get("fault", self.fault))
            self.delay_s = float(parameters.get("delay_s", self.delay_s))
        except ValueError as error:
            return await _send(send, 400, f"{error}\n".encode(), {"Content-Type": "text/plain"})
        return await _json(send, {"fault": self.fault, "delay_s": self.delay_s})

    async def _counted(self, scope: Scope, parameters: dict[str, str], receive: Receive, send: Send) -> None:
        counts = self.counts
        counts.times.append(monotonic())
        counts.at_once += 1
        counts.most_at_once = max(counts.most_at_once, counts.at_once)
        counts.asked = parameters
        agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
        counts.user_agents.add(agent)
        try:
            if not agent:
                await _send(send, 403, b"Set a User-Agent that names a contact.\n", {"Content-Type": "text/plain"})
            else:
                await asyncio.sleep(self.delay_s)
                await self._serve(parameters, receive, send)
        finally:
            counts.at_once -= 1

    async def _serve(self, parameters: dict[str, str], receive: Receive, send: Send) -> None:
        wait = {"Retry-After": self.retry_after} if self.retry_after else {}
        match self.fault:
            case Fault.LIMITED | Fault.BUSY:
                await _send(send, int(self.fault), b"Too many requests.\n", {"Content-Type": "text/plain", **wait})
            case Fault.MAXLAG:
                lag = api.error("maxlag", f"Waiting for db1: {LAG_S} seconds lagged.", host="db1", lag=LAG_S, type="db")
                await self._answer(send, lag, wait)
            case Fault.READONLY:
                await self._answer(send, api.error("readonly", "The wiki is currently in read-only mode."), wait)
            case Fault.ERROR:
                await self._answer(send, api.error("internal_api_error_DBQueryError", "Caught an exception."))
            case Fault.HANG:
                while (await receive())["type"] != "http.disconnect":
                    pass
            case Fault.HTML:
                await _send(send, 200, HTML, {"Content-Type": "text/html; charset=utf-8"})
            case Fault.CUT:
                # begun and never finished, so that the server closes the connection
                head = {"Content-Type": "application/json", "Content-Length": "9999"}
                await _send(send, 200, b'{"entities"', head, more=True)
            case _:
                await self._pages(parameters, send)

    async def _pages(self, parameters: dict[str, str], send: Send) -> None:
        said = api.answer(parameters, self.knowledge.items, pairs=self.fault is not Fault.NO_PAIRS)
        entities = said.get("entities", {})
        self.counts.pages += len(entities)
        match self.fault:
            case Fault.TRUNCATED:
                whole = json.dumps(said).encode()
                return await _send(send, 200, whole[: len(whole) // 2], self._headers)
            case Fault.TYPES:
                said["entities"] = {name: [name, 7] for name in entities}
            case Fault.SILENT:
                said["entities"] = {}
            case Fault.WRONG:
                said["entities"] = {
                    name: {**entity, **_other(number), "sitelinks": {"enwiki": _other(number)}}
                    for number, (name, entity) in enumerate(entities.items())
                }
        return await self._answer(send, said)

    async def _answer(self, send: Send, said: Any, headers: Headers | None = None) -> None:
        code = {"MediaWiki-API-Error": said["error"]["code"]} if "error" in said else {}
        await _send(send, 200, json.dumps(said).encode(), {**self._headers, **code, **(headers or {})})

    @property
    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json; charset=utf-8", ORIGIN_HEADER: self.knowledge.origin}


def _other(number: int) -> dict[str, str]:
    return {"site": "enwiki", "title": f"Other {number}"}


async def _json(send: Send, value: Any) -> None:
    await _send(send, 200, json.dumps(value).encode(), {"Content-Type": "application/json"})


async def _send(send: Send, status: int, body: bytes, headers: Headers, *, more: bool = False) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": more})
