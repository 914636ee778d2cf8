"""The words leg in every language, against a real Postgres: no document here has a vector."""

import pytest

from freshet.store.migrate import migrate
from tests.api_builders import insert
from tests.documents import document
from tests.integration.test_search_hybrid import respond, search

pytestmark = pytest.mark.integration


@pytest.fixture
def store(database: str) -> str:
    migrate(database)
    return database


def edit(language: str, title: str) -> dict[str, object]:
    return document(doc_id=language, wiki=f"{language}wiki", language=language, title=title)


@pytest.mark.parametrize(
    ("language", "title", "query"),
    [
        ("en", "Earthquakes of Japan", "earthquake"),
        ("de", "Erdbeben in türkischen Städten", "Stadt"),
        ("fr", "Les grandes inondations", "inondation"),
        ("ru", "Список землетрясений", "землетрясение"),
        ("es", "Volcanes de Chile", "volcán chileno"),
        ("no", "Byene i Norge", "byen"),
        ("tr", "İstanbul depremleri", "depremler"),
    ],
)
def test_a_word_is_found_in_another_form_where_there_is_a_dictionary(store, language, title, query):
    insert(store, edit(language, title), like={language: ""})
    assert search(store, query) == [language]


@pytest.mark.parametrize(
    ("language", "title", "query"),
    [
        ("pl", "Historia Warszawy", "Warszawa"),
        ("uk", "Битва за Харківщину", "Харківщина"),
        ("cs", "Pražský hrad", "Pražská"),
    ],
)
def test_a_word_is_found_by_its_letters_where_there_is_none(store, language, title, query):
    insert(store, edit(language, title), like={language: ""})
    (found,) = respond(store, query)["results"]
    assert found["doc_id"] == language
    assert 0 < found["scores"]["words"] < 1


def test_a_word_that_is_there_goes_before_one_that_looks_like_it(store):
    insert(store, edit("pl", "Historia Warszawy"), edit("cs", "Warszawa"), like={"pl": "", "cs": ""})
    assert search(store, "Warszawa") == ["cs", "pl"]


def test_words_only_look_alike_when_most_of_their_letters_do(store):
    insert(store, edit("pl", "Titanic"), like={"pl": ""})
    assert search(store, "titanium") == []


@pytest.mark.parametrize(
    ("language", "title", "query"),
    [
        ("ja", "東京地震の一覧", "地震"),
        ("zh", "土耳其叙利亚地震", "地震"),
        ("ko", "한국영화의 역사", "영화"),
        ("th", "แผ่นดินไหวในประเทศตุรกี", "แผ่นดินไหว"),
    ],
)
def test_a_word_is_found_inside_a_text_without_spaces(store, language, title, query):
    insert(store, edit(language, title), like={language: ""})
    assert search(store, query) == [language]


def test_marks_of_other_scripts_part_words(store):
    insert(store, edit("pl", "Łódź–Warszawa「東京」«metro»"), like={"pl": ""})
    for query in ("łódź", "warszawa", "東京", "metro"):
        assert search(store, query) == ["pl"], query


def test_a_rare_word_weighs_more_than_common_ones(store):
    common = [document(doc_id=f"common-{number}", title=f"Football season {number}") for number in range(60)]
    rare = document(doc_id="rare", title="Mbappé")
    insert(store, *common, rare, like={row["doc_id"]: "" for row in [*common, rare]}, analyze=True)
    assert search(store, "Mbappé football season")[0] == "rare"


def test_a_word_that_most_documents_hold_is_looked_for_among_the_newest(store, monkeypatch):
    monkeypatch.setattr("freshet.store.lexicon.RARE", 5)
    rows = [document(doc_id=f"{number:02}", title=f"Football {number}") for number in range(40)]
    insert(store, *rows, like={row["doc_id"]: "" for row in rows}, analyze=True)
    assert len(search(store, "football")) == 10
