"""Outcome rates of the AAPOR Standard Definitions: response, cooperation, refusal, contact (domain §3.2, R38)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from survey.disposition import Disposition, by_class


@dataclass(frozen=True)
class Counts:
    """Respondents per outcome class; `ne` (4.x) stays out of every denominator and only enters e."""

    i: int = 0
    p: int = 0
    r: int = 0
    nc: int = 0
    o: int = 0
    uh: int = 0
    uo: int = 0
    ne: int = 0

    @property
    def known_eligible(self) -> int:
        """D = (I+P) + (R+NC+O)."""
        return self.i + self.p + self.r + self.nc + self.o

    @property
    def unknown(self) -> int:
        """UH + UO."""
        return self.uh + self.uo


@dataclass(frozen=True)
class OutcomeRates:
    """All rates as shares (0 to 1), with the `e` they were computed with; None where a denominator is zero."""

    e: float | None
    rr1: float | None
    rr2: float | None
    rr3: float | None
    rr4: float | None
    rr5: float | None
    rr6: float | None
    coop1: float | None
    coop2: float | None
    coop3: float | None
    coop4: float | None
    ref1: float | None
    ref2: float | None
    ref3: float | None
    con1: float | None
    con2: float | None
    con3: float | None


FORMULAS = {
    "e": "D / (D+NE), D = I+P+R+NC+O",
    "rr1": "I / (D+UH+UO)", "rr2": "(I+P) / (D+UH+UO)", "rr3": "I / (D+e(UH+UO))", "rr4": "(I+P) / (D+e(UH+UO))",
    "rr5": "I / D", "rr6": "(I+P) / D",
    "coop1": "I / (I+P+R+O)", "coop2": "(I+P) / (I+P+R+O)", "coop3": "I / (I+P+R)", "coop4": "(I+P) / (I+P+R)",
    "ref1": "R / (D+UH+UO)", "ref2": "R / (D+e(UH+UO))", "ref3": "R / D",
    "con1": "(I+P+R+O) / (D+UH+UO)", "con2": "(I+P+R+O) / (D+e(UH+UO))", "con3": "(I+P+R+O) / D",
}  # fmt: skip
"""The formula of each rate, as printed beside it."""


def counts_of(dispositions: Mapping[Disposition, int]) -> Counts:
    """The counts per class from the counts per disposition."""
    return Counts(**{name.lower(): count for name, count in by_class(dispositions).items()})


def share(part: float, whole: float) -> float | None:
    """part / whole, or None when there is nothing to divide by: “not available”, never 0 or 100 %."""
    return part / whole if whole else None


def estimated_eligibility(counts: Counts) -> float | None:
    """e = D / (D + NE): the share of the unresolved that is taken to be eligible."""
    return share(counts.known_eligible, counts.known_eligible + counts.ne)


def outcome_rates(counts: Counts, e: float | None = None) -> OutcomeRates:
    """RR1–6, COOP1–4, REF1–3, CON1–3 of domain §3.2; `e` (0 to 1) is estimated from the counts unless given."""
    e = estimated_eligibility(counts) if e is None else e
    known, interviews = counts.known_eligible, counts.i + counts.p
    contacts, willing = interviews + counts.r + counts.o, interviews + counts.r
    everyone, likely = known + counts.unknown, known + (e or 0.0) * counts.unknown
    return OutcomeRates(
        e,
        share(counts.i, everyone), share(interviews, everyone), share(counts.i, likely), share(interviews, likely),
        share(counts.i, known), share(interviews, known),
        share(counts.i, contacts), share(interviews, contacts), share(counts.i, willing), share(interviews, willing),
        share(counts.r, everyone), share(counts.r, likely), share(counts.r, known),
        share(contacts, everyone), share(contacts, likely), share(contacts, known),
    )  # fmt: skip
