"""Each kind of work that only one may do has a lock of its own, on a real Postgres."""

import psycopg
import pytest

from freshet.store import maintenance
from freshet.store.locks import Lock, take
from tests.stacks import eventually

pytestmark = pytest.mark.integration


def test_the_store_is_tidied_up_while_somebody_asks_about_pages(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as asker:
        assert take(asker, Lock.ASKING_ABOUT_PAGES)
        with maintenance.connect(database) as tidying:
            assert tidying.execute("SELECT 1").fetchone() == (1,)


def test_one_asks_at_a_time_until_its_connection_ends(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        with psycopg.connect(database, autocommit=True) as asker:
            assert take(asker, Lock.ASKING_ABOUT_PAGES)
            assert take(asker, Lock.ASKING_ABOUT_PAGES)
            assert not take(other, Lock.ASKING_ABOUT_PAGES)
        eventually(lambda: take(other, Lock.ASKING_ABOUT_PAGES))
