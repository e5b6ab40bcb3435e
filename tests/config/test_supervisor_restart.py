"""SIGHUP at the supervisor: what is replaced, what stays, and what becomes of it when something is in the way. Small children."""

import json
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.config.test_supervisor import AT_WORK, Outside, is_gone, pids, python, wait_until, writes_its_pid

HOUSE = """
import json, os, socket
from survey.errors import SurveyError

door = socket.create_server(("127.0.0.1", 0))

class Plan:
    '''A renewal that reads its children from a file, as if a fresh process had told them.'''

    def begin(self):
        return Child("renewal", [sys.executable, "-c", (folder / "fresh").read_text()], once=True, tells=True)

    def children(self, told):
        found = json.loads(told)
        if isinstance(found, str):
            raise SurveyError(found)
        return [child(**each) for each in found]

    def end(self, problem):
        with open(folder / "ends", "a") as file:
            print(problem, file=file)

def child(**manners):
    if manners.pop("listening", False):
        manners["listens"] = door.fileno()
    return Child(**manners)

before = [child(**each) for each in json.loads((folder / "before").read_text())]
sys.exit(Supervisor(before, renewal=Plan()).run())
"""


AN_HOUR_LATER = """
import time, types

falls.FIRST_PAUSE_SECONDS = falls.LONGEST_PAUSE_SECONDS = 1800

def moment():
    return time.monotonic() + 3600 * (folder / "later").exists()

supervisor.time = types.SimpleNamespace(monotonic=moment, sleep=time.sleep)
"""
"""The supervisor's pauses last half an hour, and a file lets an hour pass."""


class Small:
    """A supervisor of small children, each of which writes its process id to a file of its name."""

    def __init__(self, folder: Path, children: list[dict[str, object]], manner: str = "") -> None:
        self.folder = folder
        (folder / "before").write_text(json.dumps(children))
        self.plan(children)
        self.outside = Outside(folder, manner + HOUSE)

    def plan(self, children: list[dict[str, object]] | str, then: str = "") -> None:
        """What the fresh process will tell, or the problem that it will find."""
        told = json.dumps(children).encode()
        (self.folder / "fresh").write_text(f"import os, time\n{then}\nos.write(int(os.environ['READY_DESCRIPTOR']), {told!r})")

    def pids(self, name: str) -> list[int]:
        return pids(self.folder / name)

    def await_pids(self, name: str, count: int) -> None:
        wait_until(lambda: len(self.pids(name)) >= count)

    def hang_up(self) -> None:
        self.outside.process.send_signal(signal.SIGHUP)

    def ends(self) -> list[str]:
        path = self.folder / "ends"
        return path.read_text().splitlines() if path.exists() else []

    def restart(self) -> str:
        """Ask for a restart and wait until it is over; what went wrong."""
        before = len(self.ends())
        self.hang_up()
        wait_until(lambda: len(self.ends()) > before)
        return self.ends()[-1]


Make = Callable[..., Small]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Make]:
    made: list[Small] = []

    def make(*children: dict[str, object], manner: str = "") -> Small:
        made.append(Small(tmp_path, list(children), manner))
        return made[0]

    yield make
    for each in made:
        if each.outside.process.poll() is None:
            each.outside.end(signal.SIGTERM)


def steady(folder: Path, name: str, **manners: object) -> dict[str, object]:
    return {"name": name, "command": writes_its_pid(folder / name), **manners}


def door(folder: Path, name: str = "door", then: str = f"{AT_WORK}; time.sleep(600)") -> dict[str, object]:
    return {"name": name, "command": writes_its_pid(folder / name, then), "tells": True, "listening": True}


def test_each_is_started_anew_and_what_the_others_need_stays(small: Make, tmp_path: Path) -> None:
    here = small(steady(tmp_path, "store", last=True), door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)

    assert here.restart() == ""

    here.await_pids("worker", 2)
    first, second = here.pids("door")
    wait_until(lambda: is_gone(first))
    assert not is_gone(second)
    assert len(here.pids("store")) == 1
    assert is_gone(here.pids("worker")[0])
    assert not is_gone(here.pids("worker")[1])


def test_what_is_not_wanted_any_more_ends_and_what_is_new_starts(small: Make, tmp_path: Path) -> None:
    here = small(steady(tmp_path, "dial"))
    here.await_pids("dial", 1)
    here.plan([steady(tmp_path, "dial-1"), steady(tmp_path, "dial-2")])

    assert here.restart() == ""

    here.await_pids("dial-1", 1)
    here.await_pids("dial-2", 1)
    assert is_gone(here.pids("dial")[0])
    os.kill(here.pids("dial-2")[0], signal.SIGKILL)
    here.await_pids("dial-2", 2)
    assert len(here.pids("dial")) == 1


def test_a_problem_that_the_fresh_process_finds_is_told_and_touches_nothing(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan("HUIFANG_WORKERS: not a number")

    assert here.restart().startswith("HUIFANG_WORKERS: not a number")

    assert (len(here.pids("door")), len(here.pids("worker"))) == (1, 1)


def test_a_fresh_process_that_falls_says_why(small: Make, tmp_path: Path) -> None:
    here = small(steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([], then="import no_such_module_of_ours")

    assert "renewal did not start: ModuleNotFoundError: No module named 'no_such_module_of_ours'" in here.restart()

    assert not is_gone(here.pids("worker")[0])


def test_a_door_that_does_not_start_leaves_the_former_one_at_work(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([door(tmp_path, then="raise ValueError('the new page is wrong +8613800138000')"), steady(tmp_path, "worker")])

    assert "door did not start: ValueError: the new page is wrong +***00" in here.restart()

    assert not is_gone(here.pids("door")[0])
    assert len(here.pids("worker")) == 1


def test_a_failing_migration_ends_the_restart_before_anything_is_replaced(small: Make, tmp_path: Path) -> None:
    migrate = {"name": "migrate", "command": python("pass"), "once": True}
    here = small(migrate, door(tmp_path))
    here.await_pids("door", 1)
    failing = migrate | {"command": python("raise SystemExit('no column of that name')")}
    here.plan([failing, door(tmp_path)])

    assert "migrate did not start" in here.restart()

    assert len(here.pids("door")) == 1
    here.plan([migrate, door(tmp_path)])
    assert here.restart() == ""
    assert len(here.pids("door")) == 2


def test_a_child_in_its_pause_is_started_anew_at_once(small: Make, tmp_path: Path) -> None:
    falls = f"if len(open({str(tmp_path / 'faller')!r}).readlines()) < 2: raise SystemExit(1)\n        time.sleep(600)"
    faller = {"name": "faller", "command": writes_its_pid(tmp_path / "faller", falls)}
    here = small(steady(tmp_path, "other"), faller, manner=AN_HOUR_LATER)
    here.await_pids("other", 1)
    here.await_pids("faller", 1)
    wait_until(lambda: is_gone(here.pids("faller")[0]))

    assert here.restart() == ""

    here.await_pids("faller", 2)
    here.await_pids("other", 2)
    (tmp_path / "later").touch()
    os.kill(here.pids("other")[1], signal.SIGKILL)
    here.await_pids("other", 3)  # so the supervisor has looked after all of them since the pause was over
    assert len(here.pids("faller")) == 2, "once, not by the restart and by the end of the pause"
    assert not is_gone(here.pids("faller")[1])


def test_a_child_that_falls_while_a_door_is_being_replaced_is_started_again_meanwhile(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    go = tmp_path / "go"
    slow = f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\n        {AT_WORK}; time.sleep(600)"
    here.plan([door(tmp_path, then=slow), steady(tmp_path, "worker")])
    here.hang_up()
    here.await_pids("door", 2)

    os.kill(here.pids("worker")[0], signal.SIGKILL)

    here.await_pids("worker", 2)
    assert here.ends() == []
    go.touch()
    wait_until(lambda: here.ends() == [""])


def test_a_signal_in_the_middle_of_a_restart_ends_everything_and_leaves_none(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([door(tmp_path, then="time.sleep(600)"), steady(tmp_path, "worker")])
    here.hang_up()
    here.await_pids("door", 2)

    status, _ = here.outside.end(signal.SIGTERM)

    assert status == 0
    assert here.ends() == [], "a restart that was broken off has no outcome"
    assert len(here.pids("worker")) == 1
    assert all(is_gone(pid) for name in ("door", "worker") for pid in here.pids(name))


def test_a_second_request_during_a_restart_is_answered_by_a_restart_of_its_own(small: Make, tmp_path: Path) -> None:
    here = small(steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([steady(tmp_path, "worker")], then=f"open({str(tmp_path / 'asked')!r}, 'w'); time.sleep(0.5)")
    here.hang_up()
    wait_until((tmp_path / "asked").exists)
    here.plan([steady(tmp_path, "later")])
    here.hang_up()

    wait_until(lambda: here.ends() == ["", ""])
    here.await_pids("later", 1)
    assert all(is_gone(pid) for pid in here.pids("worker"))


def test_without_a_renewal_the_same_children_are_started_anew(tmp_path: Path) -> None:
    outside = Outside(tmp_path, f"sys.exit(Supervisor([Child('a', {writes_its_pid(tmp_path / 'pids')!r})]).run())")
    wait_until(lambda: len(pids(tmp_path / "pids")) == 1)

    outside.process.send_signal(signal.SIGHUP)

    wait_until(lambda: len(pids(tmp_path / "pids")) == 2)
    outside.end(signal.SIGTERM)
    assert all(is_gone(pid) for pid in pids(tmp_path / "pids"))


def test_a_new_version_that_the_supervisor_does_not_understand_changes_nothing(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([{**steady(tmp_path, "worker"), "manner_of_tomorrow": True}])

    said = here.restart()

    assert "TypeError" in said
    assert "manner_of_tomorrow" in said
    assert not any(map(is_gone, [*here.pids("door"), *here.pids("worker")]))


def test_a_door_whose_program_is_not_there_is_not_exchanged(small: Make, tmp_path: Path) -> None:
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([{**door(tmp_path), "command": [str(tmp_path / "missing")]}, steady(tmp_path, "worker")])

    assert "FileNotFoundError" in here.restart()
    assert not any(map(is_gone, [*here.pids("door"), *here.pids("worker")]))


def test_a_worker_whose_program_is_away_for_a_moment_is_started_when_it_is_back(small: Make, tmp_path: Path) -> None:
    program = tmp_path / "program"
    here = small(door(tmp_path), steady(tmp_path, "worker"))
    here.await_pids("worker", 1)
    here.plan([door(tmp_path), {"name": "worker", "command": [str(program)]}])

    here.restart()
    wait_until(lambda: is_gone(here.pids("worker")[0]))
    fresh = tmp_path / "fresh-program"
    fresh.write_text(f"#!/bin/sh\nexec {shlex.join(writes_its_pid(tmp_path / 'worker'))}\n")
    fresh.chmod(0o700)
    fresh.rename(program)

    here.await_pids("worker", 2)
    assert not is_gone(here.pids("door")[-1])
