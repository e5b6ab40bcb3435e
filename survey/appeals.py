"""What upheld appeals take out of the units' assessment, from the answers of the persons concerned. Pure (R53)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from survey.scoring import SCALE, CodeCount, ScoreSums, SetAside

DISSATISFIED = SCALE[3:]


@dataclass(frozen=True)
class AppealedAnswer:
    """A rating by a person about whom an appeal was upheld; `is_out`: the appeal takes this one out. The answer stays stored."""

    respondent_id: int
    unit_id: int | None
    item: str
    code: str
    score: float | None
    is_out: bool


def set_aside(answers: Iterable[AppealedAnswer]) -> Mapping[int | None, SetAside]:
    """What is set aside, by unit. `answers` are all ratings of those persons, each person's together."""
    found: defaultdict[int | None, SetAside] = defaultdict(SetAside)
    for _, given in groupby(answers, key=lambda answer: answer.respondent_id):
        person = list(given)
        found[person[0].unit_id] += _of_person(person)
    return found


def _of_person(given: Sequence[AppealedAnswer]) -> SetAside:
    left = [answer for answer in given if not answer.is_out]
    out = Counter((answer.item, answer.code, answer.score) for answer in given if answer.is_out)
    counts = tuple(CodeCount(*key, count) for key, count in out.items())
    return SetAside(int(bool(out)), int(not left), counts, _sums(given) - _sums(left), _is_dissatisfied(given) - _is_dissatisfied(left))


def _sums(given: Sequence[AppealedAnswer]) -> ScoreSums:
    scores = [answer.score for answer in given if answer.score is not None]
    s, c = sum(scores), float(len(scores))
    return ScoreSums(1, s, c, s * s, s * c, c * c) if scores else ScoreSums()


def _is_dissatisfied(given: Sequence[AppealedAnswer]) -> bool:
    return any(answer.code in DISSATISFIED for answer in given)
