"""While fifty ask, what the API stands on is ended, one after another, and comes back."""

from collections import Counter
from collections.abc import Iterator, Sequence

import httpx
import psycopg
import pytest
from tenacity import RetryError

from freshet.store import busy
from local.readiness import kafka
from tests.e2e.asking import Askers, Reply, asking
from tests.stacks import Model, Stack, eventually

pytestmark = pytest.mark.e2e

ASKERS = 50
ENOUGH = 100
"""So many replies of one kind, one after another, say that it has become the rule."""

MODEL, EXTRACTIVE, AWAY = "model", "extractive", "503"


@pytest.fixture(scope="module")
def askers(stack: Stack) -> Iterator[Askers]:
    """They ask all the time, about pages that have edits."""

    def titles() -> Sequence[str]:
        with psycopg.connect(stack.settings.conninfo) as store:
            return busy.busiest_titles(store, ASKERS, "en")

    eventually(lambda: len(titles()) == ASKERS)
    url = f"http://127.0.0.1:{stack.settings.api_port}/v1/ask"
    with asking(url, [f"What is changing about {title}?" for title in titles()], ASKERS) as askers:
        becomes_the_rule(askers, MODEL)
        yield askers


def becomes_the_rule(askers: Askers, kind: str) -> None:
    done = len(askers.replies) + ENOUGH
    try:
        eventually(lambda: len(askers.replies) >= done and askers.latest(ENOUGH) == {kind})
    except RetryError:
        pytest.fail(f"{kind} is not the rule: {Counter(reply.kind for reply in askers.replies[-ENOUGH:])}")


def answered_or_told_to_come_back(askers: Askers, before: int) -> list[Reply]:
    replies = askers.replies[before:]
    statuses = {reply.status for reply in replies}
    assert statuses <= {200, 503}, [reply.body for reply in replies if reply.status not in {200, 503}][:3]
    return replies


def killed_again(stack: Stack, name: str) -> bool:
    if (process := stack.process(name)) is not None:
        process.kill()
    return True


def pid(stack: Stack, name: str) -> int | None:
    process = stack.process(name)
    return process.pid if process else None


def test_without_the_model_answers_are_made_of_the_edits_and_say_so(stack: Stack, askers: Askers, model: Model) -> None:
    before, api = len(askers.replies), pid(stack, "api")
    model.end()
    becomes_the_rule(askers, EXTRACTIVE)
    model.start()
    becomes_the_rule(askers, MODEL)
    replies = answered_or_told_to_come_back(askers, before)
    assert {reply.status for reply in replies} == {200}
    degraded = [reply.body for reply in replies if reply.kind == EXTRACTIVE]
    assert all(body["outcome"] == "grounded" for body in degraded)
    assert all("model" in body["degraded"] and "extractive" in body["answer"] for body in degraded)
    assert pid(stack, "api") == api


def test_without_kafka_questions_are_answered_as_ever(stack: Stack, askers: Askers) -> None:
    before, api = len(askers.replies), pid(stack, "api")
    stack.kill("kafka")
    becomes_the_rule(askers, MODEL)
    eventually(kafka(stack.settings.bootstrap_servers))
    assert {reply.kind for reply in answered_or_told_to_come_back(askers, before)} - {"refused"} == {MODEL}
    assert pid(stack, "api") == api


def test_without_postgres_each_error_says_so_and_answers_return_by_themselves(stack: Stack, askers: Askers) -> None:
    before, api = len(askers.replies), pid(stack, "api")
    # It would be back before anybody had to be told.
    eventually(lambda: killed_again(stack, "postgres") and AWAY in askers.latest(ENOUGH))
    becomes_the_rule(askers, MODEL)
    refused = [reply for reply in answered_or_told_to_come_back(askers, before) if reply.status == 503]
    assert {reply.headers["Content-Type"] for reply in refused} == {"application/problem+json"}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)
    assert {reply.body["title"] for reply in refused} == {"Service Unavailable"}
    assert all("try again" in reply.body["detail"] for reply in refused), {reply.body["detail"] for reply in refused}
    assert pid(stack, "api") == api


def test_what_was_ended_works_again(stack: Stack) -> None:
    stack.until_healthy()
    ready = httpx.get(f"http://127.0.0.1:{stack.settings.api_port}/readyz", timeout=10)
    assert ready.status_code == 200
