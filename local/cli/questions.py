"""`freshet ask`, `search` and `trace`: thin clients of the API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import sseclient
import typer
from rich.markup import escape

from freshet.errors import PermanentError, TransientError
from local import running
from local.cli import console
from local.client import client

TIMEOUT_S = 60.0

Wiki = Annotated[list[str] | None, typer.Option("--wiki", help="Only this wiki, such as enwiki; may be repeated.")]
Since = Annotated[str | None, typer.Option("--since", help="Only the last 90s, 15m, 6h or 2d, by time of the edit.")]
AsJson = Annotated[bool, typer.Option("--json", help="The API's answer as one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(search)
    app.command()(trace)


def ask(question: str, wiki: Wiki = None, since: Since = None, as_json: AsJson = False) -> None:
    """Ask what is changing, and get an answer that cites the exact edits."""
    body = {"question": question, "filters": _filters(wiki, since)}
    if as_json:
        console.emit(call("POST", "/v1/ask", body))
    else:
        _show_stream(body)


def search(
    query: str,
    wiki: Wiki = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 10,
    as_json: AsJson = False,
) -> None:
    """List the edits nearest to a query, by meaning and by words."""
    found = call("POST", "/v1/search", {"query": query, "limit": limit, "filters": _filters(wiki, since)})
    if as_json:
        console.emit(found)
        return
    for result in found["results"]:
        title, text = escape(console.visible(result["title"])), escape(console.visible(result["text"]))
        head = f"{result['score']:.4f}  [bold]{title}[/] ({result['wiki']}, {result['event_time']})"
        console.out.print(head, soft_wrap=True)
        if page := _about(result["page"]):
            console.out.print(f"        {escape(page)}", soft_wrap=True)
        console.out.print(f"        {text}", soft_wrap=True)
        console.out.print(f"        {result['diff_url'] or result['page_url']}  {result['doc_id']}", soft_wrap=True)
    if not found["results"]:
        console.out.print("nothing found")


def trace(doc_id: str, as_json: AsJson = False) -> None:
    """Follow a document back: what each step did, gold, silver, bronze, and the raw event at its offset."""
    found = call("GET", f"/v1/documents/{doc_id}/trace")
    if as_json:
        console.emit(found)
        return
    if found.get("status") == "removed":
        console.out.print(f"removed on {found['removed_at']}: {found['reason']}", markup=False, soft_wrap=True)
        return
    for step in found.pop("steps"):
        for line in _described(step):
            console.out.print(console.visible(line), markup=False, soft_wrap=True)
    for layer, content in found.items():
        console.out.rule(layer, align="left")
        if layer == "page":
            console.out.print(_about(content["known"]) or content["status"], markup=False, soft_wrap=True)
        for line in json.dumps(content, indent=1, ensure_ascii=False).split("\n"):
            console.out.print(console.visible(line), markup=False, soft_wrap=True)


def show_answer(answer: dict[str, Any]) -> None:
    """Print an answer with its numbered sources."""
    console.out.out(answer["answer"], highlight=False)
    _show_citations(answer)


def call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the API. Raises TransientError when it is not there, PermanentError with the problem it answers."""
    with _answer(method, path, body) as response:
        return dict(json.loads(response.read()))


def _show_stream(body: dict[str, Any]) -> None:
    """Print an answer as it is written, then its numbered sources."""
    with _answer("POST", "/v1/ask/stream", body) as response:
        for event in sseclient.SSEClient(response.iter_bytes()).events():
            data = json.loads(event.data)
            match event.event:
                case "token":
                    console.out.out(data["text"], end="", highlight=False)
                case "restart":
                    console.out.out(f"\n\nWhat is above is void, because {data['reason']}.\n", highlight=False)
                case "done":
                    console.out.out("")
                    _show_citations(data)
                case "error":
                    raise _refused(data)


def _show_citations(answer: dict[str, Any]) -> None:
    for citation in answer["citations"]:
        link = citation["diff_url"] or citation["page_url"] or ""
        text = f"  [{citation['n']}] {citation['title']} ({citation['wiki']}, {citation['event_time']}) {link}"
        console.out.out(console.visible(text), highlight=False)
        if page := _about(citation["page"]):
            console.out.out(f"      {page}", highlight=False)


def _about(page: dict[str, Any] | None) -> str:
    """What a page is and who says so; nothing where nothing is known."""
    words = ": ".join(filter(None, (page["label"], page["description"]))) if page else ""
    if page is None or not words:
        return ""
    said_by = ", ".join(filter(None, (page["origin"], page["licence"], page["item_url"])))
    return console.visible(f"{words} ({said_by})")


@contextmanager
def _answer(method: str, path: str, body: dict[str, Any] | None) -> Iterator[httpx.Response]:
    settings = running.running_settings()
    with client(settings, TIMEOUT_S) as api:
        try:
            with api.stream(method, path, json=body) as response:
                if response.is_error:
                    raise _refused(json.loads(response.read()))
                yield response
        except httpx.HTTPError as error:
            raise TransientError(
                f"the API does not answer at {api.base_url} ({error}): start it with `freshet up`"
            ) from error


def _refused(problem: dict[str, Any]) -> PermanentError:
    return PermanentError(f"{problem.get('title', 'the API refuses')}: {problem.get('detail', problem)}")


def _described(step: dict[str, Any]) -> Iterator[str]:
    """What a step did to the fields, a line for each that changed."""
    head = f"{step['from']} to {step['to']}:"
    if step["added"] is None:
        yield f"{head} not known, a layer is not there yet"
        return
    yield f"{head} added {', '.join(step['added']) or 'nothing'}; dropped {', '.join(step['dropped']) or 'nothing'}"
    for change in step["changed"]:
        before, after = (json.dumps(change[side], ensure_ascii=False) for side in ("before", "after"))
        yield f"  {change['field']}: {before} -> {after}"


def _filters(wiki: list[str] | None, since: str | None) -> dict[str, Any]:
    filters: dict[str, Any] = {"wikis": wiki} if wiki else {}
    if since:
        filters["since"] = (datetime.now(UTC) - _age(since)).isoformat()
    return filters


def _age(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1:] in units:
        return timedelta(**{units[text[-1]]: int(text[:-1])})
    raise typer.BadParameter(f"{text!r} is no age: write 90s, 15m, 6h or 2d", param_hint="--since")
