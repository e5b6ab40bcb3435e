"""What a notice says outside of the console: a letter in Chinese and then in English, and the same as facts for a machine. Pure.

Neither holds personal data: an order is named by its number alone, and what stands in it is read in the console (R12, O35).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from survey.order_moves import EXTENSIONS, STATES

TITLES = {
    "unsigned": ("交办单尚未签收", "An order is not signed for"),
    "leader": ("交办单逾两日未签收，请督促", "An order has waited two days for a signature"),
    "urge": ("催办", "Please see to an order"),
    "eve": ("交办单即将到期", "An order is due"),
    "overdue": ("交办单已逾期", "An order is overdue"),
    "weekly": ("交办单每周清单", "The weekly list of orders"),
    "test": ("测试通知", "A test notice"),
}
FOOTS = (
    "请登录回访控制台办理。本邮件由系统自动发出，请勿回复；内容不含个人信息。",
    "Please see to it in the console. This was sent by a program, do not reply; it holds no personal data.",
)
MOST_LINES = 200
"""A letter lists so many orders; the whole list stands in the console."""


@dataclass(frozen=True)
class Notification:
    """A notice as it is told to one office. `identity` is of the delivery, for all its tries; `text` is “中文 / English”."""

    identity: str
    kind: str
    office: str
    text: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


def subject(told: Notification, bureau: str) -> str:
    """The subject of the letter, on one line, Chinese first."""
    zh, en = TITLES[told.kind]
    return f"[{_line(bureau)}] {zh} / {en}"


def body(told: Notification, bureau: tuple[str, str]) -> str:
    """The text of the letter: all of it in Chinese, then all of it in English; `bureau` is its name in both."""
    zh, _, en = told.text.partition(" / ")
    lines = told.details.get("open", [])
    parts = []
    for index, said in enumerate((zh, en or zh)):
        head = _line(told.office or bureau[index])
        parts.append(
            "\n".join([f"{head}{'：' if index == 0 else ':'}", "", said, *_orders(lines, index), "", FOOTS[index], _line(bureau[index])])
        )
    return f"\n\n{'-' * 40}\n\n".join(parts) + "\n"


def _orders(lines: Sequence[Mapping[str, Any]], index: int) -> list[str]:
    shown = [_order(line, index) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append((f"……共 {len(lines)} 件，其余见控制台", f"… {len(lines)} in all, the rest is in the console")[index])
    return ["", *shown] if shown else []


def _order(line: Mapping[str, Any], index: int) -> str:
    state, left = STATES.get(line["state"], (line["state"],) * 2)[index], int(line["days_left"])
    until = _until(left, is_late=line.get("late", left < 0))[index]
    extension = EXTENSIONS[line["extension"]][index] if line.get("extension") else ""
    return "  ".join(filter(None, (line["number"], state, until, extension and ("延期：", "extension: ")[index] + extension)))


def _until(left: int, *, is_late: bool) -> tuple[str, str]:
    if not is_late:
        return f"剩 {left} 个工作日", f"{left} working days left"
    return (f"逾期 {-left} 个工作日", f"{-left} working days overdue") if left else ("已逾期", "overdue")


def facts(told: Notification, bureau: str) -> dict[str, Any]:
    """The notice for a machine: what kind, to whom, when, the sentence in both languages, the figures."""
    zh, _, en = told.text.partition(" / ")
    return {
        "id": told.identity, "kind": told.kind, "bureau": bureau, "office": told.office, "at": told.at.isoformat(timespec="seconds"),
        "text": {"zh": zh, "en": en or zh}, "details": dict(told.details),
    }  # fmt: skip


def _line(text: str) -> str:
    """The text without anything that could begin a new line."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
