"""The page: its parts, where they stand, and what happens when they are used."""

from typing import Any, Final

import gradio as gr

from ui import plots, render
from ui.ask import MOST_AT_ONCE, NOTHING, Asking, Parts
from ui.beginning import EXAMPLES, Beginning
from ui.filters import ALL_EDITS, ANY_TIME, MINOR, PEOPLE, WINDOWS
from ui.services import Services

REFRESH_S: Final = 5
EXAMPLES_S: Final = 60
QUIET: Final[dict[str, Any]] = {"show_progress": "hidden", "api_visibility": "private"}
MANY: Final[dict[str, Any]] = {**QUIET, "concurrency_limit": MOST_AT_ONCE}
# in the browser and at once: what is typed after it is the next question, however slow the answer's first word is
TAKE_QUESTION: Final = "(typed) => [typed, '']"


def build(services: Services) -> gr.Blocks:
    """The Blocks of the one page: ask beside the live feed, and the pipeline."""
    page: gr.Blocks
    with gr.Blocks(title="Freshet: what is changing on Wikipedia", analytics_enabled=False) as page:
        _html(render.skeleton("header.html"), elem_id="top")
        with gr.Tabs():
            with gr.Tab("Ask", id="ask"), gr.Row(elem_id="ask-and-feed"):
                with gr.Column(scale=3, min_width=320):
                    _ask(services, page)
                with gr.Column(scale=2, min_width=300):
                    _html(render.skeleton("feed.html"), elem_id="feed")
            with gr.Tab("Pipeline", id="pipeline") as pipeline:
                _pipeline(services, pipeline)
        _html(render.skeleton("dialog.html"))
    return page


def _ask(services: Services, page: gr.Blocks) -> None:
    chat = gr.Chatbot(
        label="Answers", show_label=False, elem_id="chat", height=480,
        buttons=[], latex_delimiters=[], allow_tags=False,
        placeholder="Ask what is changing. Every answer cites the exact edits.", sanitize_html=True,
    )  # fmt: skip
    with gr.Row(visible=False, elem_id="comment-row") as comment_row:
        comment = gr.Textbox(label="What was right or wrong with it? (optional)", max_length=2_000, scale=4)
        send = gr.Button("Send", scale=1, min_width=80)
    with gr.Row(equal_height=True, elem_id="question-row"):
        question = gr.Textbox(
            label="Your question", elem_id="question", max_length=1_000, scale=5, lines=1, max_lines=4,
            placeholder="What is changing about climate change in the last hour?",
        )  # fmt: skip
        submit = gr.Button("Ask", variant="primary", scale=1, min_width=80, elem_id="submit")
        stop = gr.Button("Stop", variant="stop", scale=1, min_width=80, visible=False, elem_id="stop")
    with gr.Row(elem_id="examples"):
        examples = [gr.Button("", size="sm", visible=False, elem_classes="example") for _ in range(EXAMPLES)]
    with gr.Accordion("Filters", open=False, elem_id="filters"):
        with gr.Row():
            wikis = gr.Dropdown(label="Wikis", multiselect=True, allow_custom_value=True, choices=[])
            languages = gr.Dropdown(label="Languages", multiselect=True, allow_custom_value=True, choices=[])
        with gr.Row():
            window = gr.Dropdown(label="Time of the edit", choices=list(WINDOWS), value=ANY_TIME)
            minor = gr.Dropdown(label="Minor edits", choices=list(MINOR), value=ALL_EDITS)
        people = gr.CheckboxGroup(
            label="Made by",
            choices=list(PEOPLE),
            info="None chosen means all people. Bots' edits are in the live feed only.",
        )
    grounds = _html("", elem_id="grounds")
    with gr.Row(elem_id="after"):
        retry = gr.Button("Retry", size="sm", visible=False, elem_id="retry")
        all_times = gr.Button("Search all times instead", size="sm", visible=False, elem_id="all-times")
        clear = gr.Button("New conversation", size="sm", visible=False, elem_id="clear")
    sources = _html(render.sources([]), elem_id="sources")
    memory = gr.JSON(NOTHING, visible=False)
    taken, linked = gr.Textbox(visible=False), gr.Textbox(visible=False)

    filters = [wikis, languages, window, people, minor]
    parts = Parts(
        chat, grounds, sources, memory, submit, stop, retry, all_times, clear, comment_row, comment
    )  # fmt: skip
    asking, beginning, shown = Asking(services.client, parts), Beginning(services.client), parts.all()
    begun = [
        gr.on([question.submit, submit.click], None, question, [taken, question], js=TAKE_QUESTION, **QUIET).then(
            asking.ask, [taken, memory, *filters], shown, **MANY
        ),
        retry.click(asking.again, [memory, *filters], shown, **MANY),
        all_times.click(asking.all_times, [memory, *filters], shown, **MANY),
        page.load(beginning.from_address, None, [*filters, linked], **QUIET).then(
            asking.ask, [linked, memory, *filters], shown, **MANY
        ),
    ]
    # an example in the middle of an answer takes its place
    begun += [
        example.click(asking.ask, [example, memory, *filters], shown, cancels=begun[:3], **MANY) for example in examples
    ]
    # cancelled first: an answer that still came would stand in place of what stopping shows
    stop.click(None, cancels=begun, **QUIET).then(asking.stopped, [chat, memory], shown, queue=False, **QUIET)
    clear.click(asking.cleared, None, shown, **QUIET)
    chat.like(asking.rated, memory, shown, **QUIET)
    gr.on([send.click, comment.submit], asking.commented, [comment, memory], shown, **QUIET)
    refresh = gr.Timer(EXAMPLES_S)
    gr.on([page.load, refresh.tick], beginning.examples, None, [*examples, wikis, languages], **QUIET)


def _pipeline(services: Services, tab: gr.Tab) -> None:
    tables = _html(render.problem("Loading", "Asking the API…"), elem_id="pipeline-tables")
    figures = []
    for pair in (plots.PLOTS[:2], plots.PLOTS[2:]):
        with gr.Row():
            figures += [plots.empty(plot) for plot in pair]
    timer = gr.Timer(REFRESH_S, active=False)
    shower = plots.Pipeline(services.client)
    tab.select(lambda: gr.Timer(active=True), None, timer, **QUIET)
    gr.on([tab.select, timer.tick], shower.show, None, [tables, *figures], concurrency_limit=20, **QUIET)


def _html(value: str, **named: Any) -> gr.HTML:
    """HTML of ours, in our own style."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, padding=False, **named)
