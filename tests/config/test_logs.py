import ast
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import logs
from config.logs import JsonFormatter, PlainFormatter, masked, one_line, relayed
from tests.conventions.sources import sources


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    raised = None
    if error:
        try:
            raise ValueError("number +8613800138000")
        except ValueError:
            raised = sys.exc_info()
    return logging.LogRecord("voice", logging.INFO, "x.py", 1, message, arguments, raised)


@pytest.mark.parametrize("number", ["+8613800138000", "13800138000", "138 0013 8000", "010-5555-0100", "+1-619-555-0123"])
def test_a_number_is_masked_to_its_last_two_digits(number: str) -> None:
    line = masked(f"calling {number} now")

    assert number not in line
    assert f"***{number[-2:]} now" in line


@pytest.mark.parametrize(
    "text", ["attempt 17 took 120 ms", "2026-03-10T02:00:00", "CA0123456789abcdef0123456789abcdef", "127.0.0.1:8801", "error 21211"]
)
def test_what_is_no_number_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text())
def test_whatever_was_logged_stays_on_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_a_forged_second_record_is_escaped() -> None:
    line = PlainFormatter().format(record("name %s", "x\r\n2026-01-01 info admin logged in"))

    assert "\n" not in line
    assert "\\r\\n" in line


def test_a_json_line_is_json_and_keeps_its_action() -> None:
    wanted = record("could not wake %s", "dial")
    wanted.action = "wake_lost"

    line = json.loads(JsonFormatter().format(wanted))

    assert (line["message"], line["action"], line["level"]) == ("could not wake dial", "wake_lost", "info")


def test_a_traceback_is_masked_too() -> None:
    assert "13800138000" not in PlainFormatter().format(record("failed", error=True))


def test_a_json_line_tells_the_ids_that_belong_to_the_event_and_names_events_without_a_name_after_their_writer() -> None:
    wanted = record("carrier refused attempt %s", 17)
    wanted.action, wanted.attempt, wanted.phone = "call_refused", 17, "+8613800138000"

    line = JsonFormatter().format(wanted)

    assert json.loads(line)["attempt"] == "17"
    assert "138001" not in line
    assert json.loads(JsonFormatter().format(record("x")))["action"] == "voice"


@given(st.text())
def test_a_json_line_is_one_line_that_any_reader_takes(text: str) -> None:
    line = JsonFormatter().format(record("%s", text))

    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == one_line(masked(text))
    line.encode("utf-8")


def test_a_child_s_line_is_passed_on_behind_its_name() -> None:
    assert relayed("voice", "calling +8613800138000", 8) == "voice    | calling +***00"


@pytest.fixture
def in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs._Form, "json", True)


@pytest.mark.usefixtures("in_json")
def test_in_json_a_child_s_line_stays_json_and_tells_the_child() -> None:
    line = json.loads(relayed("voice", JsonFormatter().format(record("hello"))))

    assert (line["child"], line["message"]) == ("voice", "hello")


@pytest.mark.usefixtures("in_json")
@pytest.mark.parametrize("text", ["Segmentation fault", "+8613800138000 \x1b[31m", "[1, 2]", "", "{not json}", "\udcff"])
def test_in_json_whatever_a_child_prints_becomes_a_record_without_numbers(text: str) -> None:
    line = relayed("dial-1", text)

    assert json.loads(line)["child"] == "dial-1"
    assert json.loads(line)["action"] == "child.printed"
    assert "13800138000" not in line
    line.encode("utf-8")


WRITING = {"debug", "info", "warning", "error", "exception", "critical"}


def _unnamed(tree: ast.Module) -> list[int]:
    """Lines of log calls that give their event no name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    writing = [
        call for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING
        and isinstance(call.func.value, ast.Name) and call.func.value.id in ("log", "logger")
    ]  # fmt: skip
    return [call.lineno for call in writing if not any(keyword.arg == "extra" for keyword in call.keywords)]


def test_every_event_that_is_logged_has_a_name() -> None:
    assert [(source.path, line) for source in sources() for line in _unnamed(source.tree)] == []


def test_the_check_finds_an_event_without_a_name() -> None:
    assert _unnamed(ast.parse("log.info('x')\nlogger.error('y', extra={'action': 'z'})")) == [1]
