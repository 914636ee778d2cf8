"""What a page begins with: what its address says, and what is in the stream to ask about."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import gradio as gr

from ui.client import ApiAwayError, Client, RefusedError
from ui.filters import from_query

EXAMPLES: Final = 4
BUSY_PAGES: Final = 12
MOST_LETTERS: Final = 60


class Beginning:
    """The page's events that fill it before anybody asks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def from_address(self, request: gr.Request) -> list[Any]:
        """What the page's address has: wikis, languages, window, people, minor, and the question; without a question
        nothing, because a reader may already be choosing filters."""
        question, filters = from_query(request.query_params.multi_items())
        wikis, languages, people = list(filters.wikis), list(filters.languages), list(filters.people)
        return [wikis, languages, filters.window, people, filters.minor, question] if question else [gr.skip()] * 6

    async def examples(self) -> list[Any]:
        """Questions about the pages that are busy now, and the wikis and languages that there are to choose from."""
        try:
            stats = await self._client.get("/v1/stats", most=BUSY_PAGES)
        except (ApiAwayError, RefusedError):
            return [gr.skip()] * (EXAMPLES + 2)
        shown = [gr.Button(value=text, visible=True) for text in questions(stats["pages"])[:EXAMPLES]]
        hidden = [gr.Button(visible=False)] * (EXAMPLES - len(shown))
        wikis = sorted(row["name"] for row in stats["by_wiki"] if row["name"])
        languages = sorted(name.removesuffix("wiki").replace("_", "-") for name in wikis if name.endswith("wiki"))
        return [*shown, *hidden, gr.Dropdown(choices=wikis), gr.Dropdown(choices=languages)]


def questions(pages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One for each page whose title is short enough, English ones first: the default model reads English."""
    ordered = sorted(pages, key=lambda page: page["wiki"] != "enwiki")
    return [f"What is changing about {page['title']}?" for page in ordered if len(page["title"]) <= MOST_LETTERS]
