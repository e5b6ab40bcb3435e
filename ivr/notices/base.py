"""What a channel for notices is, and how it says that it could not hand one over."""

from dataclasses import dataclass
from typing import Any, Protocol

from survey.errors import SurveyError
from survey.notice_problems import Problem

SECONDS = 10.0
"""The longest that a channel waits for the other side at any one step."""


@dataclass(frozen=True)
class Message:
    """What is handed over. `identity` (32 hexadecimal digits) stays the same through all tries; `facts` are the text for a machine.

    `address` is the recipient's e-mail address, empty for other channels.
    """

    identity: str
    address: str
    subject: str
    text: str
    facts: dict[str, Any]


class DeliveryFailed(SurveyError):
    """The other side has not accepted the message. `is_final`: it never will."""

    def __init__(self, problem: Problem, *, is_final: bool = False) -> None:
        super().__init__(f"{problem.sentence}。{problem.remedy}" if problem.remedy else problem.sentence)
        self.problem, self.is_final = problem, is_final


class Channel(Protocol):
    """One way out of the house."""

    def send(self, message: Message) -> None:
        """Return once the other side has accepted the message. Raises DeliveryFailed; then it may be sent again."""
        ...
