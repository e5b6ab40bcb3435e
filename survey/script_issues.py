"""What can be wrong with a script's text: one value per finding, with its place and its words in both languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from survey.errors import BadInput

Path = tuple[str | int, ...]
"""Where a value stands in the text's tree, e.g. ("steps", 3, "retry", 0)."""
Place = tuple[int, int]
"""Line and column, from 1."""
Places = Mapping[Path, Place]


class Severity(Enum):
    """E blocks publishing, W wants to be looked at, H is a hint."""

    ERROR = "E"
    WARNING = "W"
    HINT = "H"


@dataclass(frozen=True)
class Issue:
    """A finding of rule `rule` (CS01...) at `line` and `column`, both counted from 1; `step` is empty outside the steps."""

    line: int
    column: int
    rule: str
    severity: Severity
    step: str
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.severity.value} {self.rule} {self.zh} / {self.en}"


class ScriptFaulty(BadInput):
    """The script cannot be used; `issues` says why, each with its place."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("\n".join(map(str, issues)))
        self.issues = tuple(issues)


def errors(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """Those that block publishing."""
    return tuple(issue for issue in issues if issue.severity is Severity.ERROR)


def in_order(issues: Sequence[Issue]) -> list[Issue]:
    """By place, then by rule."""
    return sorted(set(issues), key=lambda issue: (issue.line, issue.column, issue.rule, issue.zh))


def at(places: Places, path: Path, rule: str, zh: str, en: str, step: str = "", severity: Severity = Severity.ERROR) -> Issue:
    """An issue at the place of `path`, or of the nearest thing around it that has a place."""
    while path and path not in places:
        path = path[:-1]
    return Issue(*places.get(path, (1, 1)), rule, severity, step, zh, en)
