"""What is looked for when somebody types something."""

from hypothesis import given
from hypothesis import strategies as st

from freshet.store.words import MAX_TERMS, parse


def test_words_that_tell_nothing_are_left_out():
    assert parse("What is changing about climate policy on Wikipedia right now?").wanted == ("climate", "policy")


def test_a_query_of_empty_words_alone_looks_for_them():
    assert parse("the who").wanted == ("the", "who")


def test_phrases_stay_together_and_unwanted_words_are_told_apart():
    words = parse('"Pearl Harbor" attack -"video game" -film well-known')
    assert words.wanted == ("Pearl Harbor", "attack", "well", "known")
    assert words.unwanted == ("video game", "film")


def test_a_word_counts_once_whatever_its_case():
    assert parse("Sinn sinn SINN").wanted == ("Sinn",)


def test_other_scripts_are_words():
    assert parse("地震 и землетрясение").wanted == ("地震", "и", "землетрясение")


def test_of_scripts_without_spaces_pairs_of_letters_are_the_words():
    words = parse('Python入門について -映画館 "東京 地震"')
    assert words.wanted == ("Python", "入門", "門に", "につ", "つい", "いて", "東京 地震")
    assert words.unwanted == ("映画", "画館")


@given(st.text(max_size=1000))
def test_no_text_makes_more_terms_than_allowed_or_an_unbalanced_quote(text):
    words = parse(text)
    assert len(words.wanted) <= MAX_TERMS
    assert all('"' not in term and term for term in words.wanted + words.unwanted)
