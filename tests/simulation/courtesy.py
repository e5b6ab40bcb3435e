"""Further rules of how people are called, judged like `checker`'s by the telephone company's record alone: patience and variety."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

LEAST_RING_SECONDS = 15  # R19
MOST_CALLS, LEAST_DAYPARTS = 5, 3  # R15
NOON, EVENING = 12, 18

Journal = Iterable[Mapping[str, Any]]


def gave_up_early(journal: Journal) -> Iterator[str]:
    """R19: a telephone that nobody answers rings for fifteen seconds at least."""
    for call in journal:
        if call["status"] not in ("no-answer", "canceled") or not call.get("ringing_at"):
            continue
        rang = (datetime.fromisoformat(call["ended_at"]) - datetime.fromisoformat(call["ringing_at"])).total_seconds()
        if rang < LEAST_RING_SECONDS:
            yield f"{call['sid']}: rang for {rang:.0f} s, {LEAST_RING_SECONDS} are the least"


def too_little_variety(journal: Journal, case_of: Mapping[str, str], zone: str, kind_of_day: Callable[[date], str]) -> Iterator[str]:
    """R15: who is called five times was called in three dayparts at least: morning, afternoon, evening, a day off."""
    parts: dict[str, list[str]] = defaultdict(list)
    for call in sorted(journal, key=lambda call: call["created_at"]):
        local = datetime.fromisoformat(call["created_at"]).astimezone(ZoneInfo(zone))
        tried = parts[case_of.get(call["sid"], call["to"])]
        tried.append(_daypart(local) if kind_of_day(local.date()) == "working_day" else "day off")
        if len(tried) == MOST_CALLS and len(set(tried)) < LEAST_DAYPARTS:
            yield f"{call['sid']}: the fifth call of its case, all in {' and '.join(sorted(set(tried)))}"


def _daypart(local: datetime) -> str:
    if local.hour < NOON:
        return "morning"
    return "afternoon" if local.hour < EVENING else "evening"
