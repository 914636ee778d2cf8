"""What the measurement of a move is made of."""

from local.bench.moving import _documents, figures


def event(number: int, **given: object) -> dict[str, object]:
    return {"meta": {"id": f"id-{number}"}, "wiki": "enwiki", "title": "Bridge", "comment": "", **given}


def test_every_different_text_is_a_document_whatever_its_type() -> None:
    events = [
        event(1, type="edit"), event(2, type="log"), event(3, comment="span"), event(4, title=""),
        event(5, type="categorize", comment="span"),
    ]  # fmt: skip
    assert [one["doc_id"] for one in _documents(events)] == ["id-1", "id-3"]


def test_searches_are_told_by_what_became_of_them() -> None:
    assert figures([10.0, 20.0, 30.0], failed=1, empty=2, degraded=3) == {
        "done": 3, "failed": 1, "empty": 2, "by_words_only": 3, "p50_ms": 20.0, "p95_ms": 29.0, "p99_ms": 29.8,
    }  # fmt: skip
    assert figures([], failed=4, empty=0, degraded=0)["done"] == 0
