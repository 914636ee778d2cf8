"""Reports of upkeep on a real database."""

from dataclasses import replace

import pytest

from freshet.errors import TransientError
from freshet.store import upkeep
from freshet.store.migrate import migrate
from freshet.store.upkeep import PartReport
from tests.documents import NOON

pytestmark = pytest.mark.integration

REPORT = PartReport("replay", "run 1", "log-0:0-9", True, NOON, 1.5, {"rows": 10, "layers": {"gold": {"changed": 1}}})


def test_a_part_kept_again_takes_the_place_of_the_one_before(database: str) -> None:
    migrate(database)
    later = replace(REPORT, dry_run=False, seconds=2.5, report={"rows": 10})
    another = replace(REPORT, part="log-1:0-9")
    for report in (REPORT, later, another, replace(REPORT, run_id="run 2")):
        upkeep.keep(database, report)
    assert upkeep.reports(database, "replay", "run 1") == [later, another]


def test_a_server_that_is_away_is_transient() -> None:
    with pytest.raises(TransientError):
        upkeep.keep("postgresql://freshet@127.0.0.1:9/freshet?connect_timeout=2", REPORT)
