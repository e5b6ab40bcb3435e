"""The desk in a real browser: it fits, breaks no rule, shows a call by itself, and works by keyboard and without scripts."""

import os
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from survey.store.models import Draft, OperatorAnswer, Takeover
from tests.conftest import StandingClock
from tests.ivr.console.builders import a_kept_sound
from tests.ivr.console.test_desk import over, talking, waiting, with_telephones
from tests.ivr.console.test_in_browser import HEAR, HIDDEN_COLUMNS, SCREEN, TELEPHONE, address, browser, enter, pytestmark, sync_api
from tests.ivr.console.test_takeover_page import call, danger, remark

__all__ = ["address", "browser", "call", "enter", "pytestmark", "waiting", "with_telephones"]


def look(page, name: str) -> None:
    """Keep a picture where somebody wants to look at the pages."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_pages_fit_the_screen_and_break_no_rule(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock, locale
) -> None:
    page = enter("operator", locale)
    page.goto("/desk")
    page.locator("button[value=on]").click()
    for step, arrange in (("waiting", None), ("claimed", "claim"), ("talking", talking), ("wrap", over)):
        if arrange == "claim":
            page.locator(".offer .btn-primary").click()
            page.wait_for_url(f"**/desk/calls/{waiting}")
        elif arrange is not None:
            arrange(sessions, clock, waiting)
        for size in (SCREEN, TELEPHONE):
            page.set_viewport_size(size)
            page.goto("/desk" if step == "waiting" else f"/desk/calls/{waiting}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (step, size)
            assert size is TELEPHONE or page.evaluate(HIDDEN_COLUMNS) == [], step
            look(page, f"desk-{step}-{locale}-{size['width']}")
    assert page.complaints == []


def test_a_call_appears_by_itself_and_goes_when_it_is_over(
    enter, with_telephones: None, sessions, clock: StandingClock, waiting: str
) -> None:
    with sessions.begin() as session:
        takeover = session.scalars(select(Takeover)).one()
        takeover.result = "nobody"
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    sync_api.expect(page.locator(".offer")).to_have_count(0)

    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().result = ""
    sync_api.expect(page.locator(".offer")).to_have_count(1)

    with sessions.begin() as session:
        session.scalars(select(Takeover)).one().result = "nobody"
    sync_api.expect(page.locator(".offer")).to_have_count(0)
    assert page.complaints == []


def test_by_keyboard_and_without_scripts_a_call_is_taken_and_sorted_out(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = enter("operator", scripts=False)
    page.goto("/desk")
    page.locator("button[value=on]").focus()
    page.keyboard.press("Enter")
    page.locator(".offer .btn-primary").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/calls/{waiting}")
    over(sessions, clock, waiting)
    page.reload()
    page.locator("input[name=verdict][value=call_back]").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="整理完毕").focus()
    page.keyboard.press("Enter")

    sync_api.expect(page.locator(".alert-success")).to_contain_text("您现在空闲")


def test_a_button_that_is_pressed_is_not_taken_away_by_a_refresh(enter, waiting: str, clock: StandingClock) -> None:
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    page.locator(".offer .btn-primary").hover()
    page.mouse.down()
    clock.advance(seconds=1)
    with page.expect_response("**/desk/board"):
        page.evaluate("htmx.trigger('#board', 'changed')")
    page.mouse.up()

    page.wait_for_url(f"**/desk/calls/{waiting}")
    assert page.complaints == []


LEFT = "document.querySelector('.offer').getAttribute('data-left')"


@pytest.mark.parametrize("press", ["right", "for ever"])
def test_a_press_whose_release_is_never_heard_of_does_not_keep_the_desk_from_refreshing(
    enter, waiting: str, clock: StandingClock, press: str
) -> None:
    """A context menu that opens on the press takes the release (Linux, macOS), as does a release outside of the window."""
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    page.locator(".offer .btn-primary").hover()
    if press == "right":
        page.evaluate("document.addEventListener('pointerup', event => event.stopImmediatePropagation(), true)")
        page.mouse.down(button="right")
    else:
        page.mouse.down()
    before = page.evaluate(LEFT)
    clock.advance(seconds=1)

    sync_api.expect(page.locator(f".offer[data-left='{int(before) - 1}']")).to_have_count(1)


def test_a_waiting_call_is_in_the_title_and_taken_by_its_key(enter, waiting: str) -> None:
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    sync_api.expect(page).to_have_title(re.compile(r"^\(1\) "))
    page.keyboard.press("Control+Shift+A")

    page.wait_for_url(f"**/desk/calls/{waiting}")
    assert page.complaints == []


def _with_the_call_taken(enter, waiting: str):
    """The page of an operator who went on duty and took the call that waited."""
    page = enter("operator")
    page.goto("/desk")
    page.locator("button[value=on]").click()
    page.locator(".offer .btn-primary").click()
    page.wait_for_url(f"**/desk/calls/{waiting}")
    return page


def test_the_answers_and_the_form_for_sorting_out_come_by_themselves(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = _with_the_call_taken(enter, waiting)
    sync_api.expect(page.locator(".asked-next button")).to_have_count(0)

    talking(sessions, clock, waiting)
    page.locator(".asked-next button").first.wait_for()
    over(sessions, clock, waiting)
    page.locator("input[name=verdict][value=order]").wait_for()
    page.fill("#remark", "还没有写完")
    for _ in range(2):
        with page.expect_response("**/state"):
            pass

    assert page.locator("#remark").input_value() == "还没有写完", "the page is not loaded again while somebody writes"
    assert page.complaints == []


def test_keys_write_the_next_answer_down_unless_somebody_switches_them_off(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = _with_the_call_taken(enter, waiting)
    talking(sessions, clock, waiting)
    page.goto(f"/desk/calls/{waiting}")
    asked = page.locator(".asked-next").inner_text()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("1")
    page.locator("#single-keys").check()
    page.locator("h1").click()
    page.keyboard.press("1")

    sync_api.expect(page.locator(".asked-next")).not_to_have_text(asked)
    with sessions() as session:
        assert len(session.scalars(select(OperatorAnswer)).all()) == 1


def test_a_key_that_is_held_down_answers_one_question_only(
    enter, waiting: str, sessions: sessionmaker[Session], clock: StandingClock
) -> None:  # fmt: skip
    page = _with_the_call_taken(enter, waiting)
    talking(sessions, clock, waiting)
    page.goto(f"/desk/calls/{waiting}")
    asked = page.locator(".asked-next").inner_text()
    page.keyboard.down("1")
    sync_api.expect(page.locator(".asked-next")).not_to_have_text(asked)
    page.wait_for_load_state()  # keys are heard from then on
    for _ in range(3):
        page.keyboard.down("1")
    with page.expect_response("**/state"):
        page.evaluate("htmx.trigger('#state', 'changed')")

    with sessions() as session:
        assert len(session.scalars(select(OperatorAnswer)).all()) == 1


def test_a_desk_that_cannot_be_reached_says_so_and_is_glad_when_it_can_again(enter, with_telephones: None) -> None:
    page = enter("operator")
    page.goto("/desk")
    sync_api.expect(page.locator("#live-lost")).to_be_hidden()
    page.context.set_offline(True)
    sync_api.expect(page.locator("#live-lost")).to_be_visible()
    page.context.set_offline(False)
    sync_api.expect(page.locator("#live-lost")).to_be_hidden()


BELOW_THE_FOLD = """selectors => selectors.filter(each => {
  const box = document.querySelector(each).getBoundingClientRect();
  return box.bottom > window.innerHeight || box.top < 0;
})"""
NEEDED = [".call-reason", ".asked-next", ".asked-item:nth-child(6)", ".takeover-case .facts", "#person dl", "#deed-end"]
"""Reason, next question, the five answers, the facts, who is on the line, and the buttons of the talk."""


@pytest.fixture
def talk(enter, call: str, sessions: sessionmaker[Session], clock: StandingClock):
    """The page of a call that is talked; opened in the language asked for."""

    def opened(locale: str = "zh-CN"):
        page = enter("operator", locale)
        page.goto("/desk")
        page.locator("button[value=on]").click()
        page.locator(".offer .btn-primary").click()
        page.wait_for_url(f"**/desk/calls/{call}")
        talking(sessions, clock, call)
        page.reload()
        return page

    return opened


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_everything_that_is_needed_to_talk_stands_on_the_screen_without_scrolling(
    talk, sessions, keys, month, clock, tmp_path, locale
) -> None:
    with sessions.begin() as session:
        a_kept_sound(session, keys, tmp_path, month.recording)
    remark(sessions, keys, month, clock, ("民警", 0.9), ("来得", 0.3), ("太慢", 0.9))
    page = talk(locale)

    assert page.evaluate(BELOW_THE_FOLD, NEEDED) == []
    look(page, f"takeover-{locale}")
    danger(sessions, keys, month, clock)
    page.locator(".danger-bar").wait_for()
    assert page.evaluate(BELOW_THE_FOLD, [".danger-bar", *NEEDED]) == []
    look(page, f"takeover-danger-{locale}")
    assert page.complaints == []


def test_danger_in_a_new_transcript_raises_the_banner_by_itself_and_goes_by_a_choice(talk, sessions, keys, month, clock) -> None:
    page = talk()
    remark(sessions, keys, month, clock, ("救命", 0.9))
    sync_api.expect(page.locator(".remark-words")).to_have_text("救命")
    danger(sessions, keys, month, clock)
    page.locator("#danger-hall").focus()
    with page.expect_response("**/state"):
        pass  # the part of the page with the button is put in its place anew
    sync_api.expect(page.locator("#danger-hall")).to_be_focused()
    page.keyboard.press("Enter")

    sync_api.expect(page.locator(".danger-done")).to_contain_text("已通知指挥大厅")
    sync_api.expect(page.locator(".danger-bar")).to_have_count(0)


def test_what_is_typed_is_saved_by_itself_and_survives_the_closing_of_the_tab(talk, call, sessions, clock) -> None:
    page = talk()
    page.locator("#remark").press_sequentially("下午再联系")
    sync_api.expect(page.locator("[data-draft-told]")).to_have_text("已保存 12:00")
    page.locator("input[name=verdict][value=call_back]").check()
    page.locator("#remark").press_sequentially("，五点后")
    page.goto("/desk")  # at once: what is left is saved while the page closes

    sync_api.expect(page.get_by_text("您手上有一个来电")).to_be_visible()
    page.goto(f"/desk/calls/{call}")
    sync_api.expect(page.locator("#remark")).to_have_value("下午再联系，五点后")
    sync_api.expect(page.locator("input[name=verdict][value=call_back]")).to_be_checked()
    over(sessions, clock, call)
    page.get_by_role("button", name="整理完毕").click()
    sync_api.expect(page.locator(".alert-success")).to_contain_text("您现在空闲")
    with sessions() as session:
        assert session.scalars(select(Draft)).all() == []
    assert page.complaints == []


def test_a_draft_that_cannot_be_saved_says_so_and_is_saved_when_the_desk_is_back(talk) -> None:
    page = talk()
    page.context.set_offline(True)
    page.locator("#remark").press_sequentially("断网时写的")
    sync_api.expect(page.locator("[data-draft-told]")).to_contain_text("尚未保存")
    page.context.set_offline(False)

    sync_api.expect(page.locator("[data-draft-told]")).to_have_text("已保存 12:00")


def test_a_save_that_is_under_way_when_the_page_is_left_is_sent_once_more_as_the_browser_breaks_it_off(talk) -> None:
    page = talk()
    page.route("**/draft", lambda route: None)
    with page.expect_request("**/draft"):
        page.locator("#remark").press_sequentially("刚写完")
    with page.expect_request("**/draft") as left:
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")

    assert left.value.resource_type == "ping"
    assert "刚写完".encode() in left.value.post_data_buffer


def test_who_is_logged_out_while_writing_is_told_that_it_is_not_saved_and_why(talk, clock) -> None:
    page = talk()
    page.wait_for_load_state("networkidle")
    page.route(re.compile("/(state|course)"), lambda route: route.abort())  # a part that refreshes itself now would leave for the log-in
    clock.advance(hours=13)
    page.locator("#remark").press_sequentially("写了很久")

    sync_api.expect(page.locator("[data-draft-told]")).to_contain_text("登录已失效，尚未保存")
    sync_api.expect(page.locator("#remark")).to_have_value("写了很久")


def test_nothing_that_somebody_types_into_is_taken_away_by_what_comes_in(talk, sessions, keys, month, clock, tmp_path) -> None:
    with sessions.begin() as session:
        a_kept_sound(session, keys, tmp_path, month.recording)
    page = talk()
    reason = page.locator(f"#listen-{month.recording}")
    reason.press_sequentially("核实")
    page.locator("#reveal-reason").fill("核对号码")
    reason.focus()
    remark(sessions, keys, month, clock, ("慢", 0.9))
    sync_api.expect(page.locator(".remark-words")).to_have_text("慢")
    reason.press_sequentially("所说")

    sync_api.expect(reason).to_have_value("核实所说")
    sync_api.expect(page.locator("#reveal-reason")).to_have_value("核对号码")
    reason.press("Enter")
    page.locator(".said audio").wait_for()
    assert page.evaluate(HEAR) == pytest.approx(1.0, abs=0.1)
    assert page.complaints == []


def test_the_number_is_shown_in_place_and_hidden_again(talk, month) -> None:
    page = talk()
    page.clock.install()
    page.locator("#reveal-reason").fill("核对号码")
    page.locator("#reveal").click()
    sync_api.expect(page.locator("#person")).to_contain_text(month.phone)
    page.clock.run_for(31_000)

    sync_api.expect(page.locator("#person")).not_to_contain_text(month.phone)


def test_who_talks_with_the_page_in_the_background_stays_logged_in(talk) -> None:
    page = talk()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_for_load_state("networkidle")  # what was asked for before is answered

    with page.expect_response("**/state") as answer:
        pass
    assert answer.value.status == 200
