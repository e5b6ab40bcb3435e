"""RS73: whatever a logged-in person's browser sends to any address of the console, no answer is an error of ours."""

import logging
import os
import re
import time
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ivr.console.builders import Month
from tests.ivr.console.conftest import LogIn, csrf_of

REQUESTS = 300 * int(os.environ.get("MANY", "1"))
LONGEST_SECONDS = 5.0  # of the processor: on a machine with other work the clock on the wall proves nothing
LONGEST_HANG_SECONDS = 60.0
METHODS = st.sampled_from(["GET", "GET", "POST", "PUT", "HEAD"])
APART = {"/logout", "/readyz"}  # the one ends the session; 503 is an honest answer of the other
VARIABLE = re.compile(r"<[^>]+>")
FIELDS = ["reason", "name", "state", "q", "page", "from", "to", "month", "until", "verdict", "at"]
WORDS = st.one_of(
    st.sampled_from(["1", "0", "-1", "9" * 30, "x", "../..", "%00", "' or 1=1 --", "{{7*7}}", "<b>", "2026-02", "0" * 32, "\x00", "１"]),
    st.text(min_size=1, max_size=20),
)
FORMS = st.lists(st.tuples(st.sampled_from(FIELDS), WORDS), max_size=4)


def test_nothing_that_is_sent_to_the_console_makes_it_fail(
    app: Flask, month: Month, log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "ivr")
    client = log_in("administrator")
    token = csrf_of(client)
    rules = sorted((str(rule) for rule in app.url_map.iter_rules() if str(rule) not in APART), key=len)
    seen = set()

    @settings(max_examples=REQUESTS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(rules), METHODS, st.lists(WORDS, min_size=4, max_size=4), FORMS, FORMS)
    def run(rule: str, method: str, words: list[str], query: list[tuple[str, str]], form: list[tuple[str, str]]) -> None:
        address = VARIABLE.sub(lambda found: quote(words[len(found[0]) % len(words)], safe="", errors="replace"), rule)
        began, worked = time.monotonic(), time.thread_time()
        data = None if method in ("GET", "HEAD") else {**dict(form), "csrf_token": token}
        answer = client.open(address, method=method, query_string=dict(query), data=data)
        assert time.thread_time() - worked < LONGEST_SECONDS
        assert time.monotonic() - began < LONGEST_HANG_SECONDS
        assert answer.status_code < 500, (method, address, query, form)
        assert "Traceback" not in answer.text[:20_000]
        seen.add(answer.status_code)

    run()
    assert {200, 404, 405} <= seen
