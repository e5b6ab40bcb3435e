"""How somebody at a browser phone plays their part: they wait for the question and press the key."""

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.walk.stage import PATIENCE_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = PATIENCE_SECONDS * 1000
RIGHT_PERSON = (re.compile(r"是您本人|yourself call"), "1")
DISSATISFIED = (
    RIGHT_PERSON,
    (re.compile(r"第一题|One, how quickly"), "4"),
    (re.compile(r"第二题|Two, how"), "5"),
    (re.compile(r"第三题|Three, the outcome"), "4"),
    (re.compile(r"第四题|Four, the equipment"), "2"),
    (re.compile(r"第五题|Five, the officers"), "2"),
)
"""What somebody hears who was treated badly, and the keys that they press; an operator is offered next."""

WANTS_OPERATOR = (re.compile(r"转接值班员请按1|talk to the officer, press 1"), "1")
WHY, REMARK = re.compile(r"哪里不满意|tell us what was wrong"), re.compile(r"意见建议|like to suggest")
SPOKEN = (WHY, REMARK)
"""What is answered aloud after a beep; who does not want to presses 1."""

REST = (
    (WHY, "1"),
    (re.compile(r"违纪行为|misconduct by an officer"), "1"),
    (re.compile(r"是否同意责任单位|unit responsible contact you"), "1"),
    (re.compile(r"要求您给好评|give a good rating"), "1"),
    (REMARK, "1"),
)
"""What the script still asks after the talk with the operator: the reason is not told again, the unit may get in touch."""

PUT_RIGHT = (re.compile(r"问题解决了吗|been put right"), "1")
APPEASED = ((re.compile(r"您现在满意吗|satisfied now"), "1"), (REMARK, "1"))
"""The second call: it was put right, and the person is satisfied now."""

WHISPERED = re.compile(r"按1|[Pp]ress 1")

Question = tuple[re.Pattern[str], str]


def pick_up(phone: "Page") -> None:
    """Answer as soon as it rings."""
    phone.click("#answer")
    expect(phone.locator("#hang-up")).to_be_visible(timeout=PATIENCE)


def hear(phone: "Page", question: re.Pattern[str]) -> None:
    """Wait until this is said on the telephone."""
    expect(phone.locator("#lines li.line").filter(has_text=question).first).to_be_visible(timeout=PATIENCE)


def answer(phone: "Page", *questions: Question) -> None:
    """Wait for each question, and press its key: where one is asked to speak, after the beep."""
    for question, key in questions:
        hear(phone, question)
        if question in SPOKEN:
            expect(phone.locator("#recording")).to_be_visible(timeout=PATIENCE)
        press(phone, key)


def press(phone: "Page", key: str) -> None:
    """Press a key of the telephone."""
    phone.click(f"#keypad [data-key='{key}']")


def hear_the_end(phone: "Page") -> None:
    """Wait until the call is over."""
    expect(phone.locator("#hang-up")).to_be_hidden(timeout=PATIENCE)
