"""Jars are what the lock says, or they are not used."""

import hashlib
import json
from pathlib import Path

import pytest

from freshet.errors import PermanentError
from local import jars
from local.jars import Jar


def test_the_lock_names_coordinates_and_hashes_and_no_host() -> None:
    text = jars.LOCK.read_text()
    assert "://" not in text
    rows = [row for jar_set in json.loads(text).values() for row in jar_set]
    assert all(len(row["sha256"]) == 64 for row in rows)


def test_a_jar_with_another_content_than_the_lock_says_is_not_right(tmp_path: Path) -> None:
    jar = Jar("org.example", "thing", "1", hashlib.sha256(b"good").hexdigest())
    assert not jar.is_right(tmp_path)
    jar.path(tmp_path).write_bytes(b"bad")
    assert not jar.is_right(tmp_path)
    jar.path(tmp_path).write_bytes(b"good")
    assert jar.is_right(tmp_path)


def test_missing_jars_are_named_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"lz4-java.*make setup"):
        jars.class_path(tmp_path, "kafka")


def test_a_fetched_jar_that_differs_from_the_lock_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = Jar("org.example", "thing", "1", hashlib.sha256(b"good").hexdigest())
    monkeypatch.setattr(jars, "locked", lambda _: [jar])
    monkeypatch.setattr(jars, "_retrieve", lambda wanted, folder: jar.path(folder).write_bytes(b"tampered"))
    with pytest.raises(PermanentError, match="another sha256"):
        jars.fetch(tmp_path, "kafka")
    assert not jar.path(tmp_path / "kafka").exists()
