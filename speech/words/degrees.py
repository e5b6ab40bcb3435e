"""How degrees and negations change a word of praise or blame."""

RAISED = {
    (): 1, ("high",): 2, ("soft",): 1, ("soft", "high"): 2, ("high", "high"): 2, ("soft", "soft"): 1,
    ("plain",): -1, ("mild",): -1, ("firm",): -2, ("high", "plain"): -2, ("soft", "plain"): -1, ("soft", "mild"): -1, ("soft", "firm"): -2,
    ("high", "high", "plain"): -2, ("soft", "high", "plain"): -2, ("soft", "soft", "plain"): -1, ("soft", "soft", "mild"): -1,
}  # fmt: skip
"""Degrees and negations before a positive word -> level, -2 worst to 2 best. What is missing has no certain meaning."""
LOWERED = {(): -1, ("high",): -2, ("soft",): -1, ("soft", "high"): -2, ("high", "high"): -2, ("soft", "soft"): -1}
EVEN = {(): 0, ("soft",): 0, ("soft", "soft"): 0}
GRADED = {"+1 plain": RAISED, "-1 plain": LOWERED, "0 plain": EVEN}
IDIOMS = {"+1 idiom": (1, 2), "+2 idiom": (2, 2), "0 idiom": (0, None), "-1 idiom": (-1, -2), "-2 idiom": (-2, -2)}
"""Level of an idiom, and its level with a high degree before it. Only a soft degree may stand there else."""


def level(value: str, before: tuple[str, ...], behind: tuple[str, ...]) -> int | None:
    """-2 (worst) to 2 (best) for a word with degrees and negations around it; None where speakers do not agree, or nobody says so."""
    found = GRADED[value].get(before) if value in GRADED else _idiom(value, before)
    return _strengthened(found, before, behind) if behind else found


def _idiom(value: str, before: tuple[str, ...]) -> int | None:
    alone, strongly = IDIOMS[value]
    if before in ((), ("soft",)):
        return alone
    return strongly if before == ("high",) else None


def _strengthened(found: int | None, before: tuple[str, ...], behind: tuple[str, ...]) -> int | None:
    """With a degree behind the word: "at all" only belongs to a negation, the others also to a word without one."""
    if behind == ("at all",):
        return -2 if found == -1 and before in (("plain",), ("mild",)) else None
    if not found or before not in ((), ("plain",), ("high",), ("soft",)):
        return None
    return 2 if found > 0 else -2
