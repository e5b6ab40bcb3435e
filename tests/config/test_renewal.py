"""What a restart makes of the answer of a fresh process, also of one that is of another version than the service that runs."""

import json
from pathlib import Path
from threading import Thread

import pytest

from config.renewal import FIXED, Footing, NotRenewed, Renewal, footing, on_footing
from config.restarts import RestartBook
from config.settings import Settings


def settings(**given: str) -> Settings:
    return Settings.from_env({"HUIFANG_ENVIRONMENT": "test", **{f"HUIFANG_{name.upper()}": text for name, text in given.items()}}, None)


def renewal(folder: Path) -> Renewal:
    return Renewal(footing(settings(), settings(), (), {}), RestartBook(folder))


def told(**answer: object) -> bytes:
    children = [{"name": "clock", "command": ["clock"]}]
    return json.dumps({"problem": "", "kept": [], "environment": {"A": "1"}, "children": children, **answer}).encode()


def test_the_children_of_the_answer_have_its_environment(tmp_path: Path) -> None:
    (child,) = renewal(tmp_path).children(told())

    assert (child.name, child.command, child.environment) == ("clock", ["clock"], {"A": "1"})


def test_a_problem_of_the_fresh_process_is_the_restarts_problem(tmp_path: Path) -> None:
    with pytest.raises(NotRenewed, match="no such setting"):
        renewal(tmp_path).children(told(problem="no such setting"))


@pytest.mark.parametrize(
    "answer", [told(children=[{"name": "clock", "command": [], "manner_of_tomorrow": 1}]), b'{"problem": ""}', b"", told(children=5)]
)
def test_an_answer_of_another_version_says_that_a_stop_is_needed(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(NotRenewed, match="needs a stop and a start"):
        renewal(tmp_path).children(answer)


@pytest.mark.parametrize("name", FIXED)
def test_a_setting_that_the_running_service_never_knew_is_taken_as_read(name: str) -> None:
    standing = footing(settings(), settings(), (), {})
    older = {key: text for key, text in standing.read.items() if key != f"HUIFANG_{name.upper()}"}
    read = settings(drain_seconds="7", voice_port="9100")

    found, changed = on_footing(read, Footing(older, older, (), {}))

    assert getattr(found, name) == getattr(read, name)
    assert f"HUIFANG_{name.upper()}" not in changed


def test_requests_made_at_once_have_numbers_of_their_own(tmp_path: Path) -> None:
    book, numbers = RestartBook(tmp_path), []
    threads = [Thread(target=lambda: numbers.append(book.ask())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == list(range(1, 21))
    assert book.asked() == 20
