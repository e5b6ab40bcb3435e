"""Why dialling holds back although campaigns run: the reasons with their words. Holds end by themselves or by a person."""

from enum import Enum


class HoldReason(Enum):
    """One reason: its stored word, whether only a person may lift it, its names."""

    UNREACHABLE = ("unreachable", False, "无法连接运营商", "The carrier cannot be reached")
    HOURLY_CAP = ("hourly_cap", False, "达到每小时呼叫上限", "The hourly cap of calls is reached")
    DAILY_CAP = ("daily_cap", False, "达到 24 小时呼叫上限", "The daily cap of calls is reached")
    SPEND_LIMIT = ("spend_limit", True, "估算话费达到上限", "The estimated bill has reached its limit")
    ABANDONED = ("abandoned", True, "无声呼叫超过 3%", "More than 3 % silent calls")

    def __init__(self, word: str, needs_person: bool, zh: str, en: str) -> None:
        self.word, self.needs_person, self.zh, self.en = word, needs_person, zh, en

    @classmethod
    def from_word(cls, word: str) -> "HoldReason":
        """The reason stored as `word`. Raises KeyError with the word when there is none."""
        return _BY_WORD[word]


_BY_WORD = {reason.word: reason for reason in HoldReason}
