"""Many edits that say the same lie: they are heard as one, and the truth is heard beside it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api_builders import insert
from tests.asking import ask
from tests.documents import NOON, document

pytestmark = pytest.mark.integration

LIE = "the harbour bridge of Rotterdam collapsed and everybody must leave"
LIES = 50
QUESTION = "Has the harbour bridge of Rotterdam collapsed?"
DIFF = "https://en.wikipedia.org/w/index.php?diff="


def on_one_page() -> Iterator[dict[str, Any]]:
    """By several users, a second apart, each a little different to look at."""
    for number in range(LIES):
        yield document(
            doc_id=f"lie-{number}",
            title="Harbour bridge",
            comment=LIE.replace(" ", "\u200b " if number % 2 else " ") + "!" * (number % 3),
            section=f"Section {number}",
            user_name=f"Sock {number % 7}",
            revision_id=100 + number,
            event_time=NOON + timedelta(seconds=number),
            diff_url=f"{DIFF}{100 + number}",
        )


def of_one_user() -> Iterator[dict[str, Any]]:
    for number in range(LIES):
        yield document(
            doc_id=f"lie-{number}",
            title=f"Town {chr(65 + number % 26)}{chr(97 + number // 26)}",
            comment=LIE,
            user_name="Sock",
            event_time=NOON + timedelta(seconds=number),
        )


def truth() -> dict[str, Any]:
    """Older than the lies and less near to the question."""
    return document(
        doc_id="truth",
        title="Rotterdam",
        comment="sourced the bridge of the harbour, which stands",
        user_name="Ada",
        event_time=NOON - timedelta(days=2),
    )


@pytest.mark.parametrize("lies", [on_one_page, of_one_user])
def test_fifty_edits_with_one_lie_are_one_source_and_the_truth_is_cited_too(application, store, lies) -> None:
    insert(store, *lies(), truth())
    with TestClient(application(None)) as client:
        answer = ask(client, question=QUESTION)
    cited = [citation["doc_id"] for citation in answer["citations"]]
    assert len([one for one in cited if one.startswith("lie-")]) == 1
    assert "truth" in cited
    assert f"the same words in {LIES - 1} more edits" in answer["answer"]


def test_a_search_shows_them_as_one_page_with_its_other_edits(application, store) -> None:
    insert(store, *on_one_page(), truth())
    with TestClient(application(None)) as client:
        found = client.post("/v1/search", json={"query": QUESTION, "collapse": True}).json()["results"]
    (lie,) = [one for one in found if one["title"] == "Harbour bridge"]
    assert len(lie["others"]) == LIES - 1


def test_once_the_page_is_restored_the_lie_is_marked_as_undone_wherever_it_is_shown(application, store) -> None:
    insert(store, *on_one_page(), truth())
    restored = document(
        doc_id="restored",
        title="Harbour bridge",
        comment="Restored revision 99 by Ada",
        user_name="Ada",
        revision_id=100 + LIES,
        revert_kind="restore",
        restored_revision_id=99,
        event_time=NOON + timedelta(minutes=5),
    )
    insert(store, restored)
    with TestClient(application(None)) as client:
        answer = ask(client, question=QUESTION)
        found = client.post("/v1/search", json={"query": QUESTION, "limit": 50, "collapse": False}).json()["results"]
    (lie,) = [citation for citation in answer["citations"] if citation["doc_id"].startswith("lie-")]
    assert lie["reverted"]
    assert "since undone" in answer["answer"]
    lies = [one for one in found if one["doc_id"].startswith("lie-")]
    assert lies
    assert all(one["reverted"] for one in lies)


def test_a_model_is_shown_a_lie_once_and_that_it_was_undone(application, store, model) -> None:
    insert(store, *on_one_page(), truth())
    with TestClient(application()) as client:
        ask(client, question=QUESTION)
    assert model.asked["messages"][-1]["content"].count("collapsed and everybody must leave") == 1
