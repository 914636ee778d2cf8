"""How a ranking is judged, and what a curve of refusals is made of."""

import json
from pathlib import Path

import pytest

from freshet.errors import ConfigError
from local.bench.refusal import curve, plot
from local.bench.relevance import (
    Question,
    by_kind,
    edit_questions,
    ndcg,
    paragraphs,
    recall,
    reciprocal_rank_fusion,
    summary,
)
from tests.api_builders import found

GRADES = {"best": 2, "good": 2, "fair": 1}


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        (["best", "good", "fair"], 1),
        (["good", "best", "fair"], 1),
        (["x", "y"], 0),
        ([], 0),
        # gains 1, 2, 2 at discounts 1, 1.585, 2, by those of 2, 2, 1: 3.262 / 3.762
        (["fair", "best", "good"], 0.8671),
        (["x"] * 10 + ["best"], 0),
    ],
)
def test_ndcg_is_one_for_the_best_order_and_counts_ten(ranked, expected):
    assert ndcg(ranked, GRADES) == pytest.approx(expected, abs=1e-4)


def test_recall_is_the_share_of_what_is_relevant_among_ten():
    assert recall(["x", "fair", "best"], GRADES) == pytest.approx(2 / 3)
    assert recall(["x"] * 10 + ["best"], GRADES) == 0


def test_questions_without_an_answer_do_not_count():
    questions = [Question("a", "", GRADES), Question("b", "none", {})]
    assert summary([["best", "good", "fair"], ["x"]], questions) == {"ndcg10": 1, "recall10": 1}


def test_reciprocal_rank_fusion_prefers_what_both_rank():
    assert reciprocal_rank_fusion(["a", "b", "c"], ["c", "b", "d"])[:2] in (["b", "c"], ["c", "b"])


def test_files_are_read_as_they_are_written(tmp_path: Path):
    judged, passages = tmp_path / "judged.jsonl", tmp_path / "xquad.jsonl"
    judged.write_text(json.dumps({"query": "q", "kind": "entity", "relevant": [{"event_id": "e", "grade": 1}]}) + "\n")
    passages.write_text(json.dumps({"paragraph_id": 0, "title": "A_b", "text": "t", "questions": ["?"]}))
    assert edit_questions(judged) == [Question("q", "entity", {"e": 1})]
    assert (paragraphs(passages)[0].paragraph_id, paragraphs(passages)[0].title) == ("0", "A b")


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl"):
        edit_questions(Path("nowhere.jsonl"))


def test_each_kind_of_question_is_summed_up_and_those_without_an_answer_are_left_out():
    questions = [Question("a", "entity", {"e": 1}), Question("b", "lexical", {"f": 1}), Question("c", "none", {})]
    assert by_kind([["e"], ["x"], ["x"]], questions) == {
        "all": {"ndcg10": 0.5, "recall10": 0.5},
        "entity": {"ndcg10": 1.0, "recall10": 1.0},
        "lexical": {"ndcg10": 0.0, "recall10": 0.0},
    }


def test_a_curve_says_which_questions_have_an_edit_above_each_threshold():
    questions = [Question("a", "entity", {"e": 1}), Question("b", "none", {})]
    near, far = [found(cosine=0.6, coverage=0.0), found(cosine=0.2)], [found(cosine=None, coverage=0.3)]
    curves = curve([near, far], questions, [[], near])
    assert set(curves) == {"cosine", "page_cosine", "words"}
    points = curves["cosine"]
    at = {point["threshold"]: point for point in points}
    assert at[0.6] == {"threshold": 0.6, "answerable": 1, "unanswerable": 0, "off_topic": 0.5}
    assert at[0.65]["answerable"] == 0
    assert plot([at[0.6]], width=10)[1].split() == ["0.60", "##########", "1.00", "0.00", "#####", "0.50"]
