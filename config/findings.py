"""What an examination says: marks and findings."""

from dataclasses import dataclass

GOOD, WARNING, WRONG = "✓", "!", "✗"


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `remedy` says what to do where something is wrong."""

    mark: str
    subject: str
    text: str
    remedy: str = ""
