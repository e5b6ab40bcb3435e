"""A sound is in its file whole or not at all, even when two processes write it at once, or one has died in the middle (RS38, RS39)."""

import fcntl
from pathlib import Path

import pytest

from worker.jobs import write_whole


def test_what_a_killed_process_has_begun_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "words.part").write_bytes(b"begun by a process that was killed, and longer")

    write_whole(tmp_path / "words.sealed", b"all of it")

    assert [path.name for path in tmp_path.iterdir()] == ["words.sealed"]
    assert (tmp_path / "words.sealed").read_bytes() == b"all of it"


def test_a_second_process_keeps_its_hands_off_what_is_being_written(tmp_path: Path) -> None:
    with (tmp_path / "words.part").open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write(b"half of")
        first.flush()

        with pytest.raises(OSError):
            write_whole(tmp_path / "words.sealed", b"all of it")

        assert (tmp_path / "words.part").read_bytes() == b"half of"
    assert not (tmp_path / "words.sealed").exists()


def test_a_process_that_comes_when_the_file_has_got_its_name_leaves_it_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = fcntl.flock

    def finished_meanwhile(*arguments: int) -> None:
        lock(*arguments)
        (tmp_path / "words.part").rename(tmp_path / "words.sealed")
        (tmp_path / "words.sealed").write_bytes(b"all of it")

    monkeypatch.setattr(fcntl, "flock", finished_meanwhile)

    with pytest.raises(OSError):
        write_whole(tmp_path / "words.sealed", b"from a second process")

    assert (tmp_path / "words.sealed").read_bytes() == b"all of it"
