"""The file of rejected lines: CSV that a Chinese Excel opens right, one line per problem, with its remedy."""

import csv
from pathlib import Path
from types import TracebackType
from typing import TextIO

from survey.incidents.records import Rejection

HEADERS = ("行号 Line", "列 Column", "值 Value", "结果 Outcome", "原因", "Reason", "办法", "Remedy")
_REFUSED, _KEPT = "拒收 refused", "已收，未留该值 kept without the value"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RejectsFile:
    """Writes problems as they come; the file exists only once there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def __enter__(self) -> "RejectsFile":
        return self

    def write(self, rejection: Rejection) -> None:
        """Add one line."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(HEADERS)
        outcome = _KEPT if rejection.kept else _REFUSED
        texts = (rejection.column, rejection.value, outcome, rejection.zh, rejection.en, rejection.remedy_zh, rejection.remedy_en)
        csv.writer(self._file).writerow((rejection.line, *map(_inert, texts)))

    @property
    def written(self) -> bool:
        """Whether there was anything to write."""
        return self._file is not None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def _inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text
