"""How often a child has fallen in a row, and how long it rests before its next start."""

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 3.0
STEADY_SECONDS = 20.0
"""A child that lived this long starts again without a pause."""

HOPELESS = 8
"""So many falls in a row, none after a steady life, and the child is said to be unable to start."""

SURVIVABLE = HOPELESS // 2
"""Falls of a child that is able to start, because it was killed from outside or had been at work: no more of them are counted."""

HOPELESS_PAUSE_SECONDS = 30.0


def pause_after(falls: int) -> float:
    """The seconds before the next start: none after a steady life, then doubling, and long once there is little hope."""
    longest = LONGEST_PAUSE_SECONDS if falls < HOPELESS else HOPELESS_PAUSE_SECONDS
    return min(FIRST_PAUSE_SECONDS * 2 ** min(falls, HOPELESS), longest) if falls else 0.0
