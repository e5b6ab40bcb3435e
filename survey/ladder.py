"""The technical status of a call attempt: a ladder that is only climbed; its ends absorb (design §4.4).

    (planned) → claimed → requested → (unknown) → placed → initiated → ringing → in_progress → completed
                                                                └→ busy, no_answer, failed, canceled, rejected

A call that an operator makes is `planned` until the operator is on the line: it holds no line and rings nobody.
Web-hooks come twice and out of order: a lower rung that comes late changes nothing.
"""

RANKS = {
    "planned": -1, "claimed": 0, "requested": 1, "unknown": 2, "placed": 3, "initiated": 4, "ringing": 5, "in_progress": 6,
    "completed": 9, "busy": 9, "no_answer": 9, "failed": 9, "canceled": 9, "rejected": 9,
}  # fmt: skip
ENDS = frozenset(status for status, rank in RANKS.items() if rank == 9)
LIVE = tuple(status for status, rank in RANKS.items() if 0 <= rank < 9)
"""Statuses in which an attempt may hold a line or ring a person."""


def climb(current: str, incoming: str) -> str:
    """The status after `incoming` was reported: the higher of the two, an end once reached for ever.

    Raises KeyError for a word that is not on the ladder.
    """
    return incoming if RANKS[incoming] > RANKS[current] else current


def is_ended(status: str) -> bool:
    """Whether the attempt is over at the carrier."""
    return status in ENDS
