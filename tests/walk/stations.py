"""The walk from a dissatisfied person to a closed order, station by station: who does what, and what must be seen then.

The test walks it, and the pictures of the READMEs and manuals are taken on it (`docs/images/take.py`): each station is one picture.
What is clicked is found by its name in forms and addresses, which are the same in both languages.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.walk import calls
from tests.walk.calls import PATIENCE
from tests.walk.stage import DESK_PHONE, THEIR_PHONE, Stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK, CENTRE, UNIT = "desk", "centre", "unit"
INCIDENT = re.compile(r"\d{14}")


@dataclass(frozen=True)
class Station:
    """One stop. `act` brings the window of `part` there; `zh` or `en`, as the language is, must be seen in it, several words parted by `|`.

    A picture is taken there, unless no document shows it.
    """

    name: str
    part: str
    act: Callable[[Stage], None]
    zh: str
    en: str
    is_pictured: bool = True

    def seen(self, language: str) -> list[str]:
        """The words that must be seen."""
        return (self.zh if language == "zh" else self.en).split("|")


def walk(stage: Stage) -> "Iterator[tuple[Station, Page]]":
    """Go from station to station; at each its window, in which has been seen what must be seen. Raises AssertionError where not."""
    for station in STATIONS:
        station.act(stage)
        page = stage.window(station.part)
        for words in station.seen(stage.language):
            expect(page.locator("main")).to_contain_text(words, timeout=PATIENCE)
        yield station, page


def plug_in(stage: Stage) -> None:
    """Both telephones are opened in the browser, and the operator goes on duty."""
    assert stage.their_phone
    assert stage.desk_phone
    desk = stage.part(DESK)
    desk.goto("/desk")
    desk.click("button[name=state][value=on]")
    desk.locator("button[name=state][value=away]").wait_for()


def be_called(stage: Stage) -> None:
    """The person's telephone rings by itself; they answer the five ratings, and are offered an operator."""
    calls.pick_up(stage.their_phone)
    calls.answer(stage.their_phone, *calls.DISSATISFIED)
    calls.hear(stage.their_phone, calls.WANTS_OPERATOR[0])


def wait_in_queue(stage: Stage) -> None:
    """The person takes the offer, and waits at the desk."""
    calls.press(stage.their_phone, calls.WANTS_OPERATOR[1])
    stage.part(DESK).locator("form[action$='/claim'] button").first.wait_for()


def take_the_call(stage: Stage) -> None:
    """The operator takes the call, their telephone rings, and whispers who comes and why."""
    desk = stage.part(DESK)
    desk.locator("form[action$='/claim'] button").first.click()
    desk.wait_for_url("**/desk/calls/*")
    found = INCIDENT.search(desk.locator("main").inner_text())
    assert found, "the page does not say which incident it is about"
    stage.incident = found[0]
    calls.pick_up(stage.desk_phone)
    calls.hear(stage.desk_phone, calls.WHISPERED)


def talk(stage: Stage) -> None:
    """The operator presses 1; both turn their microphones on, and hear each other."""
    calls.press(stage.desk_phone, "1")
    stage.part(DESK).locator("button[name=deed][value=handed_back]").wait_for()
    for telephone in (stage.desk_phone, stage.their_phone):
        telephone.click("#microphone")
    stage.await_sound(DESK_PHONE, THEIR_PHONE)


def hand_back(stage: Stage) -> None:
    """The operator gives the call back to the script, and has the form for sorting out."""
    desk = stage.part(DESK)
    desk.locator("button[name=deed][value=handed_back]").click()
    desk.locator("#sorted-out").wait_for()
    desk.fill("form[action$='/wrap-up'] textarea", REMARK[stage.language])


def sort_out(stage: Stage) -> None:
    """The operator orders it to the unit, and is free again."""
    desk = stage.part(DESK)
    desk.check("input[name=verdict][value=order]")
    desk.check("input[name=consent][value=yes]")
    desk.click("#sorted-out")
    desk.wait_for_url("**/desk")


def go_on_alone(stage: Stage) -> None:
    """The script goes on where it was, and the person answers what is left."""
    for telephone in (stage.desk_phone, stage.their_phone):
        telephone.click("#microphone")
    calls.answer(stage.their_phone, *calls.REST)
    calls.hear_the_end(stage.their_phone)


def meet_the_next(stage: Stage) -> None:
    """The next person, whom nobody plays, comes to wait by themselves; the operator leaves the desk."""
    desk = stage.part(DESK)
    desk.locator("form[action$='/claim'] button").first.wait_for()
    desk.click("button[name=state][value=off]")
    desk.locator("button[name=state][value=on]").wait_for()


def issue(stage: Stage) -> None:
    """The order about it has been issued by itself; the centre opens it."""
    _open_order(stage, CENTRE)


def print_order(stage: Stage) -> None:
    """The centre opens the order as it is printed, and takes it as DOCX."""
    page = stage.part(CENTRE)
    page.click("main a[href$='/print']")
    with page.expect_download() as download:
        page.locator("a[href$='document.docx']").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK"), "no DOCX"


def come_home(stage: Stage) -> None:
    """The unit logs in, and sees that there is an order to be signed for."""
    stage.part(UNIT).goto("/")


def open_order(stage: Stage) -> None:
    """The unit opens the order."""
    _open_order(stage, UNIT)


def write_reply(stage: Stage) -> None:
    """The unit signs for it, takes it in hand, and writes its reply."""
    page = stage.part(UNIT)
    for step in ("sign", "take-in-hand"):
        page.click(f"form[action$='/{step}'] button")
    page.select_option("#answer-finding", "substantiated")
    page.select_option("#answer-cause", "officer")
    page.fill("#answer-visited_on", page.locator("#answer-visited_on").get_attribute("max") or "")
    people, measure = REPLY[stage.language]
    page.fill("#answer-people", people)
    page.fill("#answer-measure", measure)


def reply(stage: Stage) -> None:
    """The unit sends its reply."""
    page = stage.part(UNIT)
    page.click("form[action$='/answer'] button:not([data-draft-button])")
    page.locator("#reply-1").wait_for()


def be_called_again(stage: Stage) -> None:
    """On the next working day the person's telephone rings by itself; they are asked whether it was put right."""
    stage.part(UNIT).click("form[action='/demonstration/next-day'] button")
    calls.pick_up(stage.their_phone)
    calls.answer(stage.their_phone, calls.RIGHT_PERSON)
    calls.hear(stage.their_phone, calls.PUT_RIGHT[0])


def close(stage: Stage) -> None:
    """The person is satisfied now: the order is closed, with the new answers beside the old ones."""
    calls.press(stage.their_phone, calls.PUT_RIGHT[1])
    calls.answer(stage.their_phone, *calls.APPEASED)
    calls.hear_the_end(stage.their_phone)
    page, closed = stage.part(UNIT), CLOSED[stage.language].partition("|")[0]
    stage.await_(lambda: bool(page.reload()) and closed in page.locator("main").inner_text())


def _open_order(stage: Stage, part: str) -> None:
    """Open the order about the incident from the list of orders, once it stands there."""
    page, row = stage.part(part), f"main tr:has-text('{stage.incident}') a"
    stage.await_(lambda: bool(page.goto("/orders?tab=all")) and page.locator(row).count())
    page.locator(row).first.click()
    page.wait_for_url("**/orders/*")


REMARK = {
    "zh": "群众反映民警到场慢、说话生硬，要求所里说明。",
    "en": "Says the officers came late and were short with her; asks the station to explain.",
}
REPLY = {
    "zh": ("周所长、民警王某", "对处警民警批评教育，组织全所学习接处警规范；所长上门致歉，当事人表示接受。"),
    "en": (
        "Inspector Chow, Officer Wong",
        "The officer was admonished and the shift briefed on how to speak with callers. The inspector visited and apologised.",
    ),
}
CLOSED = {"zh": "再次回访满意|非常不满意|问题是否解决", "en": "satisfied when called again|Very dissatisfied|Put right"}
"""The order is closed; the answers of the survey stand beside those of the second call (O37)."""

STATIONS = (
    Station("duty", DESK, plug_in, "接听后将呼叫您的电话", "will ring"),
    Station("asked", THEIR_PHONE, be_called, "转接值班员请按1", "press 1"),
    Station("offer", DESK, wait_in_queue, "出警速度、处警态度、处置结果", "issatisfied"),
    Station("whisper", DESK_PHONE, take_the_call, "评分不满意", "press 1"),
    Station("takeover", DESK, talk, "双方正在通话", "talk"),
    Station("wrap-up", DESK, hand_back, "已交还自动回访", "back to the script"),
    Station("sorted-out", DESK, sort_out, "您现在空闲", "free", is_pictured=False),
    Station("handed-back", THEIR_PHONE, go_on_alone, "感谢您的评价", "Thank you for your opinion", is_pictured=False),
    Station("next-person", DESK, meet_the_next, "未上岗", "ff duty", is_pictured=False),
    Station("order-issued", CENTRE, issue, "已交办", "ssued"),
    Station("order-print", CENTRE, print_order, REMARK["zh"], REMARK["en"]),
    Station("unit-home", UNIT, come_home, "待签收", "To sign for"),
    Station("order-to-sign", UNIT, open_order, "签收", "Sign"),
    Station("order-reply", UNIT, write_reply, "提交回复", "Send the reply"),
    Station("order-answered", UNIT, reply, "已回复", "nswered", is_pictured=False),
    Station("second-call", THEIR_PHONE, be_called_again, "解决了吗", "put right"),
    Station("order-closed", UNIT, close, CLOSED["zh"], CLOSED["en"]),
)
"""In the order of the walk."""
