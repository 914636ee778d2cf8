"""Links to the page and to the exact change, made only of what the wiki itself says, never of free text."""

from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as fn

_HOST: Final = r"^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$"
_PATH: Final = r"^(?:/[A-Za-z0-9_.-]+)*$"
_URL_TAIL: Final = r"^https?://[^\s<>\"\\^`{}]+$"
_PROJECTS: Final = "wikipedia|wiktionary|wikibooks|wikinews|wikiquote|wikisource|wikiversity|wikivoyage"
_LANGUAGE: Final = rf"^([a-z][a-z0-9-]*)\.(?:{_PROJECTS})\.org$"
_NO_LANGUAGE: Final = ("www", "test", "test2", "ten", "nostalgia", "beta", "species")
# What MediaWiki leaves readable in its own links.
_READABLE: Final = ":/(),!@;~"


def language(domain: Column) -> Column:
    """First label of a project's domain, such as `en`; null for projects without one language."""
    label = fn.regexp_extract(domain, _LANGUAGE, 1)
    return fn.when((label != "") & ~label.isin(*_NO_LANGUAGE), label)


def host(domain: Column) -> Column:
    """The domain when it has the form of a host name, else null."""
    return fn.when(domain.rlike(_HOST), domain)


def page_url(uri: Column, server: Column, title: Column) -> Column:
    """`uri` when it is an http(s) URL on the host `server`, else the page's ordinary address there.

    Null when there is no host, or no title to make an address of.
    """
    on_host = fn.startswith(uri, fn.concat(fn.lit("https://"), server, fn.lit("/"))) | fn.startswith(
        uri, fn.concat(fn.lit("http://"), server, fn.lit("/"))
    )
    made = fn.concat(fn.lit("https://"), server, fn.lit("/wiki/"), _encoded(title))
    return fn.when(on_host & uri.rlike(_URL_TAIL), uri).otherwise(made)


def diff_url(server: Column, script_path: Column, type: Column, old: Column, new: Column) -> Column:
    """The change itself: a diff for an edit with both revisions, the first revision of a new page, else null."""
    path = fn.when(script_path.rlike(_PATH), script_path).otherwise("/w")
    index = fn.concat(fn.lit("https://"), server, path, fn.lit("/index.php?"))
    return fn.when(
        (type == "edit") & (old > 0) & (new > 0),
        fn.concat(index, fn.lit("diff="), new.cast("string"), fn.lit("&oldid="), old.cast("string")),
    ).when((type == "new") & (new > 0), fn.concat(index, fn.lit("oldid="), new.cast("string")))


def _encoded(title: Column) -> Column:
    encoded = fn.url_encode(fn.replace(title, fn.lit(" "), fn.lit("_")))
    return reduce(lambda text, char: fn.replace(text, fn.lit(f"%{ord(char):X}"), fn.lit(char)), _READABLE, encoded)
