"""The kinds of alarm: what a person must see to, with the words of the page and of the manual.

`docs/运维手册.md` says for each what it means and what to do; a test holds the two against each other.
"""

from enum import Enum


class AlarmKind(Enum):
    """One kind of alarm: its stored word, how grave it is (`critical` wakes somebody, `warning` can wait till morning), its names."""

    DOUBLE_RING = ("double_ring", "critical", "同一次呼叫响了两路", "One attempt rang two legs")
    UNKNOWN_TOO_LONG = ("unknown_too_long", "critical", "呼叫结果长时间未明", "An attempt's outcome is unknown for too long")
    CARRIER_REFUSED = ("carrier_refused", "critical", "运营商拒绝账号或主叫号码", "The carrier refuses the account or the caller ID")
    CARRIER_UNREACHABLE = ("carrier_unreachable", "critical", "无法连接运营商", "The carrier cannot be reached")
    NO_CALLBACKS = ("no_callbacks", "critical", "已发起呼叫却收不到运营商回调", "Calls are placed and no callback arrives")
    SWEEP_SILENT = ("sweep_silent", "critical", "时钟进程没有动静", "The clock process is silent")
    FORGED_WEBHOOKS = ("forged_webhooks", "critical", "大量回调签名不符", "Many web-hooks with a wrong signature")
    ABANDONED_CALLS = ("abandoned_calls", "critical", "静默呼叫超过限度，外呼已停", "Too many silent calls, dialling has stopped")
    SPEND_LIMIT = ("spend_limit", "critical", "估计费用达到上限", "The estimated spend has reached its limit")
    CARRIER_QUEUES = ("carrier_queues", "warning", "运营商在排队发起呼叫", "The carrier queues our calls")
    FOREIGN_JOB = ("foreign_job", "critical", "队列中有不属于本系统的任务", "A job that is not ours was in the queue")
    NEEDS_REVIEW = ("needs_review", "warning", "有对象待人工核查", "Respondents need a person's review")
    BACKUP_OLD = ("backup_old", "warning", "备份已过期", "The last backup is too old")
    DISK_FULL = ("disk_full", "critical", "磁盘将满", "The disk is nearly full")

    def __init__(self, word: str, gravity: str, zh: str, en: str) -> None:
        self.word, self.gravity, self.zh, self.en = word, gravity, zh, en

    @classmethod
    def from_word(cls, word: str) -> "AlarmKind":
        """The kind stored as `word`. Raises KeyError with the word when there is none."""
        return _BY_WORD[word]


_BY_WORD = {kind.word: kind for kind in AlarmKind}
