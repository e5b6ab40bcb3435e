"""The console in a real, old-fashioned browser: 1366 × 768, no error in its console, live progress, works without scripts."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.holds import open_hold, scope_of
from survey.fieldwork.reviews import ask_review
from survey.holds import HoldReason
from survey.store.models import CallAttempt, Campaign, Escalation, Respondent, Suppression
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.console.builders import NOON, a_kept_sound

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (requirements-dev.txt): browser tests are left out"
)
sync_api.expect.set_options(timeout=30_000)
WITH_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="Chromium is not installed (apt install chromium): browser tests are left out"
    ),
]
pytestmark = [ON_SQLITE_ALONE, *WITH_CHROMIUM]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")  # fmt: skip
HIDDEN_COLUMNS = """() => Array.from(document.querySelectorAll(".sheet-scroll"))
  .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0).map(one => one.textContent.trim().slice(0, 40))"""
HEAR = """async () => {
  const audio = document.querySelector("audio");
  const ended = new Promise((done, fail) => { audio.onended = () => done(audio.duration); audio.onerror = () => fail(audio.error); });
  await audio.play();
  return ended;
}"""
SCREEN = {"width": 1366, "height": 768}
TELEPHONE = {"width": 390, "height": 844}
PAGES = ("/", "/campaigns", "/campaigns/{campaign}", "/campaigns/{campaign}/calls", "/calls/{call}", "/escalations",
         "/escalations?tab=closed", "/remarks", "/hearings", "/hearings/review", "/reviews", "/suppressions", "/suppressions?tab=lifted",
         "/alarms", "/reports", "/reports/2026-10", "/audit", "/audit/check",
         "/calendar", "/calendar?year=2027", "/register?month=2026-10", "/ledger?month=2026-10",
         "/users", "/users/operator", "/units", "/account")  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The console on a port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def enter(browser, address, passwords):
    """A page in which the role has logged in; what the browser complains of is collected in `.complaints`."""
    contexts = []

    def entered(role: str, locale: str = "zh-CN", scripts: bool = True):
        context = browser.new_context(viewport=SCREEN, locale=locale, java_script_enabled=scripts, base_url=address)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((address, "data:")) else page.complaints.append(request.url))
        page.goto("/login")
        page.fill("#name", role)
        page.fill("#password", passwords[role])
        page.click("main form button")
        page.wait_for_url("**/")
        return page

    yield entered
    for context in contexts:
        context.close()


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_every_page_fits_the_screen_and_breaks_no_rule(enter, month, sessions, locale):
    _make_wide(sessions)
    page = enter("administrator", locale)

    for path in PAGES:
        path = path.format(campaign=month.campaign, call=month.dissatisfied)
        answer = page.goto(path)
        assert answer.status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"], path
        assert page.evaluate(HIDDEN_COLUMNS) == [], path

    assert page.complaints == []


def _make_wide(sessions) -> None:
    """The widest lines that there can be."""
    with sessions.begin() as session:
        reasons = ["dissatisfied", "human_requested", "danger", "abuse_alleged"]
        session.query(Escalation).update({"reasons": reasons, "priority": 1, "consent": "unasked"})
        session.query(CallAttempt).update({"error": "several calls"})
        campaign = session.query(Campaign).one()
        ask_review(session, session.query(Respondent).filter_by(state="waiting").first(), "never_listed", NOON)
        raise_alarm(session, AlarmKind.CARRIER_REFUSED, scope_of(campaign), NOON, refusal="bad_caller_id", code="21212")
        open_hold(session, scope_of(campaign), HoldReason.ABANDONED, NOON, detail="4/60")
        key, by = session.query(Respondent).first().phone_key, "administrator" * 4
        session.add(Suppression(phone_key=key, reason=f"hotline:{by}", at=NOON))
        session.add(Suppression(phone_key=key, reason=f"visit:{by}", at=NOON, lifted_at=NOON, lifted_by=by, lift_reason="本人来函 " * 30))
        campaign.hourly_calls, campaign.spend_limit, campaign.minute_price = 1, 1.0, 0.4


def test_on_a_telephone_every_page_stays_within_the_screen_and_only_its_tables_scroll(enter, month, sessions):
    _make_wide(sessions)
    page = enter("administrator", "en-GB")
    page.set_viewport_size(TELEPHONE)

    for path in PAGES:
        page.goto(path.format(campaign=month.campaign, call=month.dissatisfied))
        assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], path
    page.goto(f"/campaigns/{month.campaign}")
    page.click("nav.menu >> text=Alarms")  # the strip of the menu scrolls to it
    page.wait_for_url("**/alarms")


def test_the_progress_refreshes_by_itself(enter, month, sessions):
    page = enter("commander")
    page.goto(f"/campaigns/{month.campaign}")
    with sessions.begin() as session:
        session.query(Campaign).update({"state": "paused", "state_reason": "线路维护"})

    page.get_by_text("线路维护").first.wait_for(timeout=20_000)

    assert page.complaints == []


def test_the_month_refreshes_by_itself(enter, month, sessions):
    page = enter("commander")
    page.goto("/")
    with sessions.begin() as session:
        session.query(Campaign).update({"state": "paused", "state_reason": "线路维护"})

    page.get_by_text("线路维护").first.wait_for(timeout=30_000)

    sync_api.expect(page.locator("#month-state")).to_have_count(1)
    assert page.complaints == []


def test_opened_figures_stay_open_while_the_progress_refreshes(enter, month, sessions):
    page = enter("commander")
    page.goto(f"/campaigns/{month.campaign}")
    page.click("#progress summary")
    with sessions.begin() as session:
        session.query(Campaign).update({"state": "paused", "state_reason": "线路维护"})
    page.get_by_text("线路维护").first.wait_for(timeout=20_000)

    page.locator("#progress details[open]").wait_for(timeout=20_000)


def test_a_recording_plays(enter, month, sessions, keys, tmp_path):
    with sessions.begin() as session:
        a_kept_sound(session, keys, tmp_path, month.recording)
    page = enter("operator")
    page.goto(f"/calls/{month.dissatisfied}")
    page.fill("#listen-1", "核实投诉内容")
    page.locator("form", has=page.locator("#listen-1")).locator("button").click()

    seconds = page.evaluate(HEAR)

    assert seconds == pytest.approx(1.0, abs=0.1)
    assert page.complaints == []


def test_without_scripts_everything_but_the_refresh_works(enter, month):
    page = enter("administrator", scripts=False)
    page.goto(f"/campaigns/{month.campaign}")
    page.fill("#pause-reason", "线路维护")
    page.click("text=暂停 >> nth=-1")
    sync_api.expect(page.get_by_text("任务已暂停")).to_be_visible()

    page.goto(f"/calls/{month.dissatisfied}")
    page.fill("#reason", "本人来电查询进度")
    page.click("form.reason button")
    sync_api.expect(page.get_by_text(month.phone)).to_be_visible()

    page.click("header >> text=English")
    sync_api.expect(page.locator("html")).to_have_attribute("lang", "en")
    page.click("header >> text=Log out")
    sync_api.expect(page.get_by_text("You have logged out.")).to_be_visible()


def test_the_keyboard_alone_is_enough_to_log_in(browser, address, passwords):
    context = browser.new_context(viewport=SCREEN, locale="zh-CN", base_url=address)
    page = context.new_page()
    page.goto("/login")
    page.focus("#name")
    page.keyboard.type("operator")
    page.keyboard.press("Tab")
    page.keyboard.type(passwords["operator"])
    page.keyboard.press("Enter")

    page.wait_for_url("**/")
    context.close()
