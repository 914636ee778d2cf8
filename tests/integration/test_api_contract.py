"""The description at /openapi.json is true: schemathesis asks what it allows and what it does not, and checks all."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.app import create_app
from freshet import keys
from freshet.settings import Settings
from freshet.store.migrate import migrate
from tests.api_builders import BagOfWords, insert
from tests.api_serving import served
from tests.documents import document

pytestmark = pytest.mark.integration

EXAMPLES = 25
"""For each operation in each phase: all of it takes less than a minute."""

# The feed does not end, and schemathesis waits for the end. The feed's own tests send it what is wrong.
ENDLESS = "/feed$"

# That the user's last message is a question, neither empty nor too long, no schema can say.
CONFIGURATION = """
[[operations]]
include-name = "POST /v1/chat/completions"
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 404, 422]
"""


def test_every_operation_does_what_the_description_says(settings: Settings, database: str, tmp_path: Path) -> None:
    migrate(database)
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    now = datetime.now(UTC)
    insert(
        database,
        *(document(title=f"Bridge {number}", event_time=now - timedelta(minutes=number)) for number in range(20)),
        document(doc_id="ein/Weg ?#%", title="Brücke", wiki="dewiki", language="de", quality_flags=["no_summary"]),
    )
    given = {
        "postgres_dsn": SecretStr(database),
        "lake_root": f"file://{tmp_path}/lake",
        "api_keys": (f"schemathesis:{keys.digest('key')}",),
    }
    with served(create_app(settings.model_copy(update=given), BagOfWords())) as (_, port):
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"http://127.0.0.1:{port}/openapi.json",
                "--header", "Authorization: Bearer key", "--checks", "all", "--exclude-path-regex", ENDLESS,
                "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES),
                "--seed", "1", "--generation-deterministic", "--no-color",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout
