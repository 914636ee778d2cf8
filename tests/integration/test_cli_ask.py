"""`freshet ask` prints an answer as it is written, then its sources."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from freshet.contract.pages import Description, Page
from freshet.settings import CHECKOUT, PREFIX
from freshet.store import repository
from tests.api_builders import insert
from tests.asking import QUESTION, insert_snails
from tests.described import describe
from tests.documents import document
from tests.serving import listening

pytestmark = pytest.mark.integration

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Any:
    """Runs the command against an API."""

    @contextmanager
    def against(application: Any) -> Iterator[Command]:
        with listening(application) as (_, address):
            port = address.rpartition(":")[2]
            environment = {**os.environ, f"{PREFIX}STATE_DIR": str(tmp_path), f"{PREFIX}API_PORT": port}

            def run(*arguments: str) -> subprocess.CompletedProcess[str]:
                command = (sys.executable, "-c", "from local.cli import main; main()", *arguments)
                return subprocess.run(
                    command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
                )

            yield run

    return against


def test_the_answer_is_printed_then_its_sources(application, store, command):
    insert_snails(store)
    with command(application()) as run:
        printed = run("ask", QUESTION["question"]).stdout
        whole = json.loads(run("ask", QUESTION["question"], "--json").stdout)
    answer, _, sources = printed.partition("from the edits that it cites.\n")
    assert answer.splitlines()[0] == whole["answer"].splitlines()[0]
    assert [line.split("]")[0] for line in sources.splitlines()] == ["  [1", "  [2", "  [3"]
    assert "https://en.wikipedia.org/w/index.php?diff=3" in sources
    assert "None" not in sources


def test_what_a_failing_model_wrote_is_said_to_be_void(application, store, command):
    insert_snails(store)
    with command(application("fault-cut")) as run:
        printed = run("ask", QUESTION["question"]).stdout
    void, _, answer = printed.partition("What is above is void, because the model could not be reached, or broke off.")
    assert "was edited" in void
    assert "What the edits nearest to the question say:" in answer


def test_a_stranger_s_words_do_not_steer_the_terminal(application, store, command):
    title = "Sea snails \x1b[2J\u202e"
    insert(store, document(doc_id="one", title=title, comment="\x1b[31mred"))
    with repository.connect(store) as connection:
        describe(connection, {Page("enwiki", title): Description("Q1", "\x9b31mlabel", "\u2066said", "en")})
    with command(application(None)) as run:
        for printed in (
            run("ask", QUESTION["question"]).stdout, run("search", "sea snails").stdout, run("trace", "one").stdout,
        ):  # fmt: skip
            assert "Sea snails" in printed
            assert "31mlabel:  said (Wikidata, CC0, https://www.wikidata.org/wiki/Q1)" in printed
            assert not {"\x1b", "\u202e", "\x9b", "\u2066"} & set(printed)


def test_a_problem_is_one_message_and_an_exit_code(application, store, command):
    with command(application(None)) as run:
        done = run("ask", " ")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Unprocessable")
    assert "/question" in done.stderr
