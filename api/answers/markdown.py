"""An answer as Markdown: its marks as links to the edits. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from api.models.answers import Citation
from api.models.chat import Annotation, UrlCitation

# An answer holds no brackets but those of its marks.
_MARK: Final = re.compile(r"\[(\d+)\]")
_LINK: Final = re.compile(r"\[(\d+)\]\(([^()]+)\)")


def linked(text: str, sources: Sequence[Citation]) -> str:
    """The text with each mark `[n]` as a link to the change, or else to the page; without either it stays a mark."""
    links = {str(source.n): _url(source) for source in sources}
    return _MARK.sub(lambda mark: f"{mark[0]}({links[mark[1]]})" if links.get(mark[1]) else mark[0], text)


def annotations(content: str, sources: Sequence[Citation], start: int = 0) -> list[Annotation]:
    """Where the links of a linked text are, from `start` on, in characters."""
    titles = {str(source.n): f"{source.title} ({source.wiki})" for source in sources}
    return [
        Annotation(
            url_citation=UrlCitation(
                start_index=found.start(), end_index=found.end(), title=titles[found[1]], url=found[2]
            )
        )
        for found in _LINK.finditer(content, start)
    ]


def _url(source: Citation) -> str | None:
    url = source.diff_url or source.page_url
    return url.replace("(", "%28").replace(")", "%29") if url else None
