"""Links that are given out lead to Wikimedia, whatever the address looks like."""

import pytest

from freshet.links import trusted


@pytest.mark.parametrize(
    "link",
    [
        "https://en.wikipedia.org/w/index.php?diff=1318000050&oldid=1318000049",
        "https://de.wikipedia.org/wiki/S%C3%B8ren_(Name)",
        "https://www.wikidata.org/wiki/Q42",
        "https://commons.wikimedia.org/wiki/File:A.png",
        "https://zh-min-nan.wikipedia.org/",
        "https://www.mediawiki.org/wiki/Help",
        "https://wikipedia.org/",
    ],
)
def test_a_link_to_a_wiki_stays_as_it_is(link):
    assert trusted(link) == link


def test_letters_that_could_end_a_link_are_encoded():
    assert trusted('https://en.wikipedia.org/wiki/A "b" <c> Søren') == (
        "https://en.wikipedia.org/wiki/A%20%22b%22%20%3Cc%3E%20S%C3%B8ren"
    )


@pytest.mark.parametrize(
    "link",
    [
        *(None, "", "no link", "//en.wikipedia.org/", "/wiki/Page", "https://", "https://en.wikipedia.org:bad/"),
        *("http://en.wikipedia.org/", "ftp://en.wikipedia.org/", "javascript:alert(1)//en.wikipedia.org/"),
        *(
            "https://evil.example/",
            "https://evil.example/en.wikipedia.org",
            "https://evil.example/?https://wikipedia.org/",
        ),
        *("https://evilwikipedia.org/", "https://wikipedia.org.evil.example/", "https://wikipedia.example/"),
        *("https://en.wikipedia.org@evil.example/", "https://evil.example\\.wikipedia.org/"),
        *(
            "https://evil.example#.wikipedia.org/",
            "https://evil.example?.wikipedia.org/",
            "https://evil.example/\\@wikipedia.org",
        ),
        *(
            "https://user:secret@en.wikipedia.org/",
            "https://user@en.wikipedia.org/",
            "https://:secret@en.wikipedia.org/",
        ),
        *("https://en.wikipedia.org:8443/", "https://en.wikipedia.org./"),
        *("https://еn.wikipediа.org/", "data:text/html,https://en.wikipedia.org/"),
    ],
)
def test_every_other_link_is_none(link):
    assert trusted(link) is None
