"""Use case: the month's random sample (R4, R6, R8–R11, R13). Every incident of the month ends in the frame or under one reason.

What depends on the day (opted out, quarantine) is judged as of the moment of the draw, so that a draw can be repeated
long after the calls have changed who may be called.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, zip_longest
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from survey import sampling
from survey.eligibility import Exclusion
from survey.errors import BadInput, NotAllowed, SurveyError
from survey.sampling import FrameRow, Sample
from survey.store import audit
from survey.store.models import Draw, DrawnIncident
from survey.store.queries import incidents as queries
from survey.store.queries.incidents import Eligible, Span

USUAL_SIZE = 300
USUAL_MINIMUM = 20
"""Per unit (R9); fewer where the size cannot give so many to each."""
REPLICATES = 10
QUARANTINE_DAYS = 90
PROCEDURE = "huifang-draw/1"
"""The procedure by which a sample is drawn from a frame; another result from the same frame asks for another name."""
_AT_A_TIME = 5000


@dataclass(frozen=True)
class Redraw:
    """What drawing again gave: nothing in `differences` means the identical list in the identical order."""

    differences: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether the sample came out the same."""
        return not self.differences


def draw_sample(
    session: Session,
    month: str,
    size: int | None,
    minimum: int | None,
    seed: int,
    now: datetime,
    zone: str,
    *,
    audit_key: bytes,
    actor: str,
    quarantine_days: int = QUARANTINE_DAYS,
    replicates: int = REPLICATES,
    program_version: str = PROCEDURE,
) -> Draw:
    """Draw the sample of `month` (YYYY-MM by the calendar of `zone`) from the incidents closed in it, and store it.

    `size` None takes every eligible incident (full coverage, R13). `minimum` per unit None means 20, or as many as the
    size can give to each unit. Raises BadInput for a bad month or settings that cannot be met, NotAllowed before the
    month is over or while the month has a valid draw: a sample is not drawn again until it pleases.
    """
    span = Span(*month_span(month, zone), now)
    if now < span.end:
        raise NotAllowed(f"{month} 尚未结束，不能抽样 / {month} is not over yet")
    if standing := queries.valid_draw(session, month):
        raise NotAllowed(
            f"{month} 已抽样（第 {standing.id} 号），须先注明原因作废 / {month} has draw {standing.id}: void it with a reason first"
        )
    size, minimum = _settle(session, span, size, minimum)
    sample, exclusions = _sample(session, span, quarantine_days, size, minimum, seed, replicates)
    draw = _store(session, month, sample, exclusions, now, program_version, {"zone": zone, "quarantine_days": quarantine_days})
    audit.append(
        session, audit_key, now, actor, "draw.made", f"draw:{draw.id}", month=month, size=size, minimum=minimum, seed=seed,
        frame=sample.frame_count, digest=sample.frame_digest, drawn=len(sample.drawn),
    )  # fmt: skip
    return draw


def redraw(session: Session, draw: Draw) -> Redraw:
    """Draw again from what the draw keeps, as of its day, and compare everything; stores nothing (R10)."""
    span = Span(*month_span(draw.month, str(draw.rules["zone"])), draw.drawn_at)
    days = int(draw.rules["quarantine_days"])
    sample, exclusions = _sample(session, span, days, draw.size, draw.minimum, draw.seed, draw.replicates)
    pairs = [
        ("frame digest", draw.frame_digest, sample.frame_digest),
        ("frame count", draw.frame_count, sample.frame_count),
        ("exclusions", draw.exclusions, exclusions),
        ("allocation", draw.allocation, _allocation(sample)),
    ]
    differences = [f"{name}: {kept} → {drawn}" for name, kept, drawn in pairs if kept != drawn]
    places = ((place.position, place.replicate, place.incident_id, place.weight) for place in sample.drawn)
    other = sum(kept != drawn for kept, drawn in zip_longest(queries.drawn_places(session, draw.id), places))
    return Redraw(tuple(differences + ([f"places: {other} of {len(sample.drawn)} differ"] if other else [])))


def void_draw(session: Session, draw: Draw, reason: str, now: datetime, *, audit_key: bytes, actor: str) -> None:
    """Declare a draw void; it stays on record. Raises BadInput without a reason, NotAllowed while a campaign works on it."""
    if not reason.strip():
        raise BadInput("作废须注明原因 / a reason is needed to void a draw")
    if draw.voided_at is not None:
        raise NotAllowed(f"第 {draw.id} 号样本已作废 / draw {draw.id} is void already")
    if names := queries.unfinished_campaigns(session, draw.id):
        raise NotAllowed(f"外呼任务尚未结束：{'、'.join(names)} / stop its campaign first")
    draw.voided_at, draw.void_reason = now, reason.strip()
    audit.append(session, audit_key, now, actor, "draw.voided", f"draw:{draw.id}", reason=draw.void_reason)


def month_span(month: str, zone: str) -> tuple[datetime, datetime]:
    """First moment of a calendar month and of the next one in `zone`, in UTC. Raises BadInput."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise BadInput(f"月份应形如 2025-03 / write the month like 2025-03, not “{month}”") from None
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.astimezone(UTC), following.astimezone(UTC)


def _settle(session: Session, span: Span, size: int | None, minimum: int | None) -> tuple[int, int]:
    by_unit = {str(unit): count for unit, count in queries.eligible_by_unit(session, span).items() if unit is not None}
    size = max(1, sum(by_unit.values())) if size is None else size
    # Passing exclusions only make units smaller, so what is possible now stays possible.
    return size, max(1, min(USUAL_MINIMUM, sampling.largest_minimum(by_unit, size))) if minimum is None else minimum


def _sample(
    session: Session, span: Span, quarantine_days: int, size: int, minimum: int, seed: int, replicates: int
) -> tuple[Sample, dict[str, int]]:
    """The sample, and how many incidents of the month were left out for each reason. Raises SurveyError if one is lost."""
    standing = queries.standing_counts(session, span)
    frame = _Frame(session, span, quarantine_days)
    sample = sampling.draw(frame, size, minimum, seed, replicates)
    left_out = Counter({word: count for word, count in standing.items() if word is not None}) + frame.left_out
    left_out[Exclusion.DUPLICATE_NUMBER.word] += sample.duplicates
    if sample.frame_count + left_out.total() != sum(standing.values()):
        raise SurveyError("抽样框与排除数之和不等于当月警情数 / frame and exclusions do not add up to the month's incidents")
    return sample, {exclusion.word: left_out[exclusion.word] for exclusion in Exclusion}


class _Frame:
    """The eligible incidents of the span as frame rows, to be walked once; tells afterwards who was left out today."""

    def __init__(self, session: Session, span: Span, quarantine_days: int) -> None:
        self.left_out: Counter[str] = Counter()
        self._rows = queries.eligible(session, span)
        self._units = {unit.id: unit.code for unit in queries.units(session)}
        self._opted_out = queries.suppressed_keys(session, span.as_of)
        self._resting = queries.dialled_keys(session, span.as_of - timedelta(days=quarantine_days), span.as_of)

    def __iter__(self) -> Iterator[FrameRow]:
        for row in self._rows:
            reason = self._passing(row)
            if reason is not None:
                self.left_out[reason.word] += 1
            elif row.unit_id is not None and row.phone_key is not None:
                yield FrameRow(row.number, self._units[row.unit_id], row.phone_key, row.id)

    def _passing(self, row: Eligible) -> Exclusion | None:
        if row.unit_id is None:
            return Exclusion.INVALID
        if row.phone_key is None:
            return Exclusion.NO_NUMBER
        if row.phone_key in self._opted_out:
            return Exclusion.OPTED_OUT
        return Exclusion.QUARANTINE if row.phone_key in self._resting else None


def _store(
    session: Session,
    month: str,
    sample: Sample,
    exclusions: dict[str, int],
    now: datetime,
    program_version: str,
    rules: dict[str, str | int],
) -> Draw:
    draw = Draw(
        month=month,
        size=sample.size,
        minimum=sample.minimum,
        seed=sample.seed,
        replicates=sample.replicates,
        frame_count=sample.frame_count,
        frame_digest=sample.frame_digest,
        program_version=program_version,
        allocation=_allocation(sample),
        exclusions=exclusions,
        incident_count=sample.frame_count + sum(exclusions.values()),
        rules=rules,
        drawn_at=now,
    )
    session.add(draw)
    session.flush()
    places = iter(sample.drawn)
    while part := list(islice(places, _AT_A_TIME)):
        rows = [
            {"draw_id": draw.id, "position": p.position, "replicate": p.replicate, "incident_id": p.incident_id, "weight": p.weight}
            for p in part
        ]
        session.execute(insert(DrawnIncident), rows)
    return draw


def _allocation(sample: Sample) -> list[dict[str, str | int]]:
    return [{"unit": stratum.unit, "frame": stratum.frame, "drawn": stratum.drawn} for stratum in sample.allocation]
