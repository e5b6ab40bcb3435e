"""What is read off the database whenever somebody scrapes: one row for each gauge, with its unit and its formula."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from survey.alarms import SWEEP_SILENT_SECONDS, AlarmKind
from survey.casework import CHANNELS
from survey.holds import HoldReason
from survey.rates import share
from survey.store.queries import operations
from survey.store.queries.notices import waiting_by_channel
from survey.store.queries.operations import Calls, Now

LONGEST_SECONDS = 2.0
"""For a question (on SQLite for a group of them): whoever scrapes must never hold up the calls."""


@dataclass(frozen=True)
class Look:
    """Everything that one scrape found out. `real` is the machine's time, `now` that of the survey (virtual in a demonstration)."""

    now: datetime
    real: datetime
    lease: timedelta  # for which the clock process takes the right to sweep
    calls: Calls
    present: Now
    break_offs: Mapping[str, int]
    re_asks: Mapping[str, int]
    alarms: Mapping[str, int]
    holds: Mapping[str, int]
    write_ahead_bytes: int | None = None
    backup_at: datetime | None = None
    notices: Mapping[str, int] = field(default_factory=dict)  # deliveries that wait, by channel
    sockets: tuple[int, int] | None = None  # live sockets of the process that answers: open, allowed


Value = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Gauge:
    """One metric: its name without `huifang_`, its unit, its formula, how it is found, and the name of its label, if it has one."""

    name: str
    unit: str
    formula: str
    value: Callable[[Look], Value]
    label: str = ""


def look(
    session: Session, now: datetime, real: datetime, lease: timedelta, database: Path | None, backup_at: datetime | None,
    sockets: tuple[int, int] | None = None,
) -> Look:  # fmt: skip
    """Ask the database everything; what takes longer than LONGEST_SECONDS is given up. Raises SQLAlchemyError."""
    with operations.bounded(session, LONGEST_SECONDS):
        calls, present = operations.calls(session, now), operations.present(session, now)
    with operations.bounded(session, LONGEST_SECONDS):
        break_offs, re_asks = operations.break_offs(session, now), operations.re_asks(session, now)
        alarms, holds = operations.alarms(session), operations.holds(session, now)
        notices = waiting_by_channel(session)
    write_ahead = _write_ahead_bytes(database)
    return Look(now, real, lease, calls, present, break_offs, re_asks, alarms, holds, write_ahead, backup_at, notices, sockets)


def _write_ahead_bytes(database: Path | None) -> int | None:
    if database is None:
        return None
    log = database.with_name(database.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def sweep_age(sweep_until: datetime | None, lease: timedelta, real: datetime) -> float | None:
    """Seconds since the clock process renewed its lease; None when none ever held it."""
    return None if sweep_until is None else max(0.0, (real - (sweep_until - lease)).total_seconds())


def _silence(seen: Look) -> dict[str, int]:
    """The one alarm that nobody can raise: the process that raises them is not seen any more."""
    age = sweep_age(seen.present.sweep_until, seen.lease, seen.real)
    return {AlarmKind.SWEEP_SILENT.word: 1} if age is not None and age > SWEEP_SILENT_SECONDS else {}


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


GAUGES: tuple[Gauge, ...] = (
    Gauge("calls", "calls", "our calls of the last 24 h, by outcome", lambda seen: seen.calls.outcomes, "outcome"),
    Gauge("calls_placed", "calls", "calls of the last 24 h that the carrier took or may have taken: all but rejected",
          lambda seen: seen.calls.placed),
    Gauge("answer_seizure_ratio", "ratio", "ASR = answered / placed, machines included",
          lambda seen: share(seen.calls.answered, seen.calls.placed)),
    Gauge("call_seconds_average", "seconds", "ACD = talk seconds / answered",
          lambda seen: share(seen.calls.talk_seconds, seen.calls.answered)),
    Gauge("post_dial_delay_seconds", "seconds", "mean of ringing − request, of calls that rang",
          lambda seen: share(seen.calls.post_dial_seconds, seen.calls.post_dial_count)),
    Gauge("busy_ratio", "ratio", "busy / placed", lambda seen: share(seen.calls.outcomes.get("busy", 0), seen.calls.placed)),
    Gauge("no_answer_ratio", "ratio", "no answer / placed", lambda seen: share(seen.calls.outcomes.get("no_answer", 0), seen.calls.placed)),
    Gauge("machine_ratio", "ratio", "machine or fax / placed",
          lambda seen: share(seen.calls.outcomes.get("machine", 0), seen.calls.placed)),
    Gauge("silent_ratio", "ratio", "silent calls (abandoned) / calls that a person answered",
          lambda seen: share(seen.calls.silent, seen.calls.people)),
    Gauge("completion_ratio", "ratio", "complete interviews / calls that a person answered",
          lambda seen: share(seen.calls.complete, seen.calls.people)),
    Gauge("spend_estimate", "currency of the price", "Σ started minutes × the campaign's price of a minute, of calls of the last 24 h",
          lambda seen: seen.calls.spend),
    Gauge("break_offs", "calls", "calls of the last 24 h broken off or partly complete, by the step at which they stood",
          lambda seen: seen.break_offs, "step"),
    Gauge("re_asks", "questions", "questions of the last 24 h asked again, by what came instead of an answer",
          lambda seen: seen.re_asks, "came"),
    Gauge("unknown_attempts", "attempts", "attempts of which nobody knows whether they ring, now", lambda seen: seen.present.unknown),
    Gauge("unknown_oldest_seconds", "seconds", "now − request of the oldest of these; 0: none",
          lambda seen: _age(seen.present.unknown_since, seen.now)),
    Gauge("due_respondents", "respondents", "due in running campaigns and not claimed, now", lambda seen: seen.present.due),
    Gauge("due_oldest_seconds", "seconds", "now − due time of the oldest of these; 0: none",
          lambda seen: _age(seen.present.due_since, seen.now)),
    Gauge("lines_used", "lines", "attempts that may hold a line, now", lambda seen: seen.present.lines_used),
    Gauge("lines_allowed", "lines", "the most lines of a running campaign", lambda seen: seen.present.lines_allowed),
    Gauge("starts_used", "calls per second", "calls handed to the carrier in the last 10 s / 10", lambda seen: seen.present.starts_used),
    Gauge("starts_allowed", "calls per second", "the highest pace of a running campaign", lambda seen: seen.present.starts_allowed),
    Gauge("open_cases", "cases", "open cases in the human queue, now", lambda seen: seen.present.cases),
    Gauge("longest_wait_seconds", "seconds", "now − opening of the oldest open case; 0: none",
          lambda seen: _age(seen.present.case_since, seen.now)),
    Gauge("notices_waiting", "deliveries", "notices that wait to be handed over (again), now, by channel",
          lambda seen: {channel: seen.notices.get(channel, 0) for channel in CHANNELS}, "channel"),
    Gauge("needs_review", "respondents", "respondents at whom a person must look, now", lambda seen: seen.present.needs_review),
    Gauge("double_ring_total", "legs", "second legs of one attempt, ever; must be 0", lambda seen: seen.present.second_legs),
    Gauge("alarms", "alarms", "standing alarms, by kind",
          lambda seen: {kind.word: seen.alarms.get(kind.word, 0) for kind in AlarmKind} | _silence(seen), "kind"),
    Gauge("holds", "holds", "standing holds of dialling, by reason",
          lambda seen: {reason.word: seen.holds.get(reason.word, 0) for reason in HoldReason}, "reason"),
    Gauge("sweep_age_seconds", "seconds", "real time since the clock process renewed its lease; absent: never",
          lambda seen: sweep_age(seen.present.sweep_until, seen.lease, seen.real)),
    Gauge("write_ahead_bytes", "bytes", "size of SQLite's write-ahead log; absent on PostgreSQL", lambda seen: seen.write_ahead_bytes),
    Gauge("backup_age_seconds", "seconds", "real time since the newest backup; absent: none found",
          lambda seen: _age(seen.backup_at, seen.real) if seen.backup_at else None),
    Gauge("sockets_open", "sockets", "pages with a live connection, in the console that answers, now",
          lambda seen: seen.sockets[0] if seen.sockets else None),
    Gauge("sockets_allowed", "sockets", "pages that may have one there at once (`HUIFANG_CONSOLE_TABS`)",
          lambda seen: seen.sockets[1] if seen.sockets else None),
    Gauge("audit_entries", "entries", "number n of the last entry of the audit trail", lambda seen: seen.present.audit_entries),
)  # fmt: skip
