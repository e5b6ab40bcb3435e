import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import JsonFormatter, PlainFormatter, masked, one_line


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
