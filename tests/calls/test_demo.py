"""A month of callbacks from file to sheet, as `./huifang demo --exit` plays it."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from config import metrics, witness
from config.demo_visitors import PEOPLE as VISITORS
from config.gauges import Look
from survey.reporting import MONTHS_BEFORE, month_before
from tests.calls.stage import Shown, show

PEOPLE = 60
RATED = {"speed", "attitude", "outcome", "equipment", "appearance"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return show(tmp_path_factory.mktemp("month"), "--calls", str(PEOPLE), "--seed", "5")


def test_it_ends_with_status_0_and_prints_the_sheet(shown: Shown) -> None:
    assert shown.status == 0, shown.text + shown.errors
    assert "《警情处置情况考核表》" in shown.text
    assert "演示/模拟" in shown.text


def test_the_frame_and_the_exclusions_add_up_to_the_months_incidents(shown: Shown) -> None:
    draws = shown.rows("SELECT frame_count, incident_count, (SELECT sum(value) FROM json_each(exclusions)) FROM draws ORDER BY id")

    assert [frame + exclusions for frame, _, exclusions in draws] == [incidents for _, incidents, _ in draws]
    assert draws[0][1] > 1000


def test_everybody_drawn_has_exactly_one_final_code(shown: Shown) -> None:
    rows = shown.rows("SELECT state, disposition FROM respondents")

    assert shown.rows("SELECT count(*) FROM respondents GROUP BY campaign_id ORDER BY campaign_id") == [(PEOPLE,), (VISITORS,)]
    assert {state for state, _ in rows} <= {"closed", "needs_review"}
    assert "not_attempted" not in {disposition for _, disposition in rows}


def test_the_carrier_saw_exactly_the_calls_that_were_recorded(shown: Shown) -> None:
    placed = {row["carrier_sid"] for row in shown.export("attempts")} - {""}

    assert placed - {call["sid"] for call in theirs(shown)} == {call["sid"] for call in ours(shown)}
    assert theirs(shown), "somebody called us"


def ours(shown: Shown) -> list[dict[str, Any]]:
    return [call for call in shown.journal() if witness.is_ours(call)]


def theirs(shown: Shown) -> list[dict[str, Any]]:
    return [call for call in shown.journal() if not witness.is_ours(call)]


def test_who_called_back_while_waited_for_was_interviewed_once_and_needed_no_further_call(shown: Shown) -> None:
    stored = Counter(row["carrier_sid"] for row in shown.export("answers") if row["item"] in RATED)
    taken_up = {sid for (sid,) in shown.rows("SELECT carrier_sid FROM call_attempts WHERE direction = 'in'")}

    assert taken_up
    assert taken_up <= {call["sid"] for call in theirs(shown)}
    assert {stored[sid] for sid in taken_up} == {len(RATED)}
    assert shown.rows("SELECT count(*) FROM call_attempts WHERE direction = 'in' AND requested_at IS NOT NULL") == [(0,)]


def answers(rows: Iterable[dict[str, str]]) -> list[witness.StoredAnswer]:
    return [witness.StoredAnswer(row["carrier_sid"], row["item"], row["raw"], row["mode"], row["code"]) for row in rows]


def test_every_exported_answer_is_the_key_that_the_callee_pressed(shown: Shown) -> None:
    verdict = witness.compare(shown.journal(), answers(shown.export("answers")))

    assert verdict.is_clean
    assert verdict.equal > 2 * PEOPLE


def test_each_rating_that_was_taken_by_voice_in_english_is_what_the_callee_said(shown: Shown) -> None:
    spoken = {(row["carrier_sid"], row["item"]): row for row in shown.export_of(2, "answers") if row["mode"] == "speech"}
    said = witness.spoken_answers(shown.journal())
    ratings = {key: witness.KEY_OF[row["code"]] for key, row in spoken.items() if key[1] in RATED}

    assert shown.rows("SELECT s.language FROM campaigns c JOIN script_versions s ON s.id = c.script_version_id WHERE c.id = 2") == [("en",)]
    assert len(ratings) >= VISITORS // 2
    assert [key for key, meant in ratings.items() if meant not in said.get(key, ())] == []
    assert all(
        words["text"].isascii() for call in shown.journal() for words in call.get("said", ()) if (call["sid"], words["item"]) in spoken
    )


@pytest.mark.parametrize(("campaign_id", "language"), [(1, "中文 / Chinese"), (2, "英语 / English")])
def test_the_answers_by_key_and_by_voice_are_printed_for_each_language(shown: Shown, campaign_id: int, language: str) -> None:
    rows = shown.export_of(campaign_id, "answers")
    modes, rated = Counter(row["mode"] for row in rows), sum(row["mode"] == "speech" and row["item"] in RATED for row in rows)

    assert (
        f"{language}：按键 / by keys {modes['keys']}，语音 / by voice {modes['speech']}："
        f"评分与所说一致 / ratings equal to what was said {rated}，听错 / misheard 0"
    ) in shown.text


def test_the_visitors_month_is_not_one_at_which_the_sheet_of_the_month_looks_back(shown: Shown) -> None:
    months = [month for (month,) in shown.rows("SELECT month FROM campaigns ORDER BY id")]

    assert months[1] not in [month_before(months[0], ago) for ago in range(MONTHS_BEFORE + 1)]
    assert f"《警情处置情况考核表》 {months[0]}" in shown.text
    assert f"《警情处置情况考核表》 {months[1]}" in shown.command("report", "--month", months[1]).stdout


def test_complete_interviews_hold_five_ratings_and_partial_ones_three_or_four(shown: Shown) -> None:
    rated = Counter(row["incident"] for row in shown.export("answers") if row["item"] in RATED)
    verdicts = dict(shown.rows("SELECT i.number, r.disposition FROM respondents r JOIN incidents i ON i.id = r.incident_id"))

    assert {rated[number] for number, verdict in verdicts.items() if verdict == "complete"} == {5}
    assert {rated[number] for number, verdict in verdicts.items() if verdict == "partial"} <= {3, 4}


def test_every_dissatisfied_person_is_in_the_human_queue_once(shown: Shown) -> None:
    dissatisfied = {row["incident"] for row in shown.export("answers") if row["code"] in ("dissatisfied", "very_dissatisfied")}
    cases = Counter(row["incident"] for row in shown.export("cases"))

    assert dissatisfied <= cases.keys()
    assert set(cases.values()) == {1}


def test_nobody_was_rung_outside_the_windows(shown: Shown) -> None:
    starts = [datetime.fromisoformat(call["created_at"]).astimezone(ZoneInfo("Asia/Shanghai")) for call in ours(shown)]

    assert [start for start in starts if not _is_open(start)] == []


def _is_open(moment: datetime) -> bool:
    """R14's windows for days without a public holiday, written down once more."""
    if moment.weekday() >= 5:
        return 10 <= moment.hour < 18
    return 9 <= moment.hour < 12 or 14 <= moment.hour < 20


def test_the_audit_trail_is_whole(shown: Shown) -> None:
    done = shown.command("audit", "verify")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sheet_of_a_later_day_shows_the_same_figures(shown: Shown) -> None:
    month = shown.rows("SELECT month FROM campaigns ORDER BY id")[0][0]
    first, second = (shown.command("report", "--month", month).stdout for _ in range(2))

    digest = next(line for line in shown.text.splitlines() if line.startswith("本表校验值"))
    assert digest in first
    assert digest in second


def written(words: Iterable[str]) -> set[bytes]:
    """The words in every way in which they might lie about: plain, in JSON's escapes, in a URL, in the two-byte codes."""
    ways = [str.encode, lambda word: word.encode("unicode_escape"), lambda word: quote(word).encode(), lambda word: word.encode("gb18030"),
            lambda word: word.encode("utf-16-le")]  # fmt: skip
    return {way(word) for word in words for way in ways}


def test_no_number_name_or_address_lies_open_in_database_logs_queue_or_metrics(shown: Shown) -> None:
    """RS56; the log is the most talkative one. What a user gave or asked for, files and the carrier's journal, is not looked at."""
    given = sorted(shown.data.glob("incidents-*.csv"))
    own = {"carrier-journal.json"} | {path.name for path in shown.data.glob("*.csv")}
    rows = [row for path in given for row in csv.DictReader(path.read_text("utf-8-sig").splitlines())]
    drawn = {number for (number,) in shown.rows("SELECT i.number FROM respondents r JOIN incidents i ON i.id = r.incident_id")}
    known = [row for row in rows if row["警情编号"] in drawn] + rows[:40]
    people = {row[column] for row in known for column in ("报警人", "处警民警", "事发地址") if len(row[column]) > 2}
    numbers = {call["to"][1:] for call in ours(shown)}
    files = [path for path in shown.data.rglob("*") if path.is_file() and path.name not in own]
    anything = re.compile(b"|".join(re.escape(word) for word in sorted(written(people | numbers), key=len, reverse=True)))

    assert len(people) > PEOPLE
    assert len(numbers) > 30
    assert {"huifang.sqlite", "counter_voice-0.db", "valkey.log"} <= {path.name for path in files}
    found = {str(path.relative_to(shown.data)): match[0] for path in files if (match := anything.search(path.read_bytes()))}
    assert found == {}
    assert anything.search((shown.text + shown.errors).encode()) is None
    assert len(given) == 2
    assert all(anything.search(path.read_bytes()) for path in given), "the search finds nothing anywhere"


def test_the_most_talkative_log_is_json_with_names_of_events(shown: Shown) -> None:
    records = [json.loads(line) for line in shown.errors.splitlines() if line.startswith("{")]

    assert len(records) > PEOPLE
    assert all({"at", "level", "action", "message"} <= record.keys() for record in records)
    assert all(character.isprintable() for record in records for character in record["message"])


def test_the_doors_and_workers_have_counted_what_lies_in_the_tables(shown: Shown) -> None:
    counted: dict[str, float] = Counter()
    for family in text_string_to_metric_families(metrics.exposition(shown.data, _no_database)):
        for one in family.samples:
            for value in one.labels.values():
                counted[f"{one.name} {value}"] += one.value
    ((turns, asked),) = shown.rows("SELECT (SELECT count(*) FROM turns), count(*) FROM call_attempts WHERE requested_at IS NOT NULL")

    assert counted["huifang_turns_total new"] == turns
    assert counted["huifang_carrier_seconds_count place_call"] == asked
    assert counted["huifang_jobs_total done"] >= 2 * asked
    assert counted["huifang_jobs_total refused"] == counted["huifang_webhooks_refused_total 403"] == 0


def _no_database() -> Look:
    raise OperationalError("SELECT", None, ConnectionError("only what the processes have counted is asked for"))


def test_remarks_are_kept_sealed_and_gone_at_the_carrier(shown: Shown) -> None:
    kept = shown.rows("SELECT path, seconds, carrier_copy_deleted_at FROM recordings WHERE state = 'kept'")

    assert kept
    for path, seconds, deleted_at in kept:
        assert not (shown.data / path).read_bytes().startswith(b"RIFF")
        assert seconds > 0
        assert deleted_at is not None
