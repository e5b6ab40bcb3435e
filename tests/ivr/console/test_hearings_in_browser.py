"""The pages on answers by voice in a real browser: they fit the screen, and the keyboard alone is enough to listen and review."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey.store.models import Answer, AuditEntry, CallAttempt, Hearing, HearingReview, Respondent
from survey.store.sealing import place
from tests.ivr.console import test_in_browser
from tests.ivr.console.builders import NOON
from tests.ivr.console.test_hearings import MULAW, hear  # noqa: F401 — a fixture
from tests.ivr.console.test_in_browser import SCREEN, TELEPHONE, address, browser, enter, sync_api  # noqa: F401 — fixtures

pytestmark = test_in_browser.pytestmark


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_widest_figures_and_queue_fit_the_screen(enter, hear, month, sessions, keys, locale):  # noqa: F811
    first = hear("very_dissatisfied")
    with sessions.begin() as session:
        attempt = session.scalars(select(CallAttempt).join(Respondent).where(Respondent.public_id == month.dissatisfied)).one()
        session.query(Answer).update({"mode": "speech"})
        for n in range(1200):
            session.add(Hearing(
                public_id=f"{n:032x}", attempt_id=attempt.id, step=1, node="speed", item=("speed", "interference")[n % 2], language="zh-CN",
                code="very_satisfied", confidence=0.8, evidence="x", outcome="accepted", latency_ms=12_345, seconds=1.0,
                at=NOON - timedelta(days=n % 40), sound_sealed=keys.seal_bytes(MULAW, place("hearings", "sound_sealed", f"{n:032x}")),
            ))  # fmt: skip
        session.flush()
        for number in session.scalars(select(Hearing.id)):
            session.add(HearingReview(hearing_id=number, code="very_dissatisfied" if number % 2 else None, by="administrator", at=NOON))
    page = enter("administrator", locale)

    for path in ("/hearings", "/hearings/review?reviewed=all", f"/hearings/review?reviewed=all&after={first}", f"/hearings/{first}"):
        assert page.goto(path).status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"], path
    page.set_viewport_size(TELEPHONE)
    for path in ("/hearings", "/hearings/review?reviewed=all"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], path
    assert page.complaints == []


def test_the_keyboard_alone_plays_reviews_and_opens_the_next_one(enter, hear, sessions):  # noqa: F811
    first, second = hear("satisfied", 0.3), hear("neutral", 0.4)
    page = enter("operator")
    page.goto("/hearings/review")
    with page.expect_response(f"**/hearings/{first}/sound") as played:
        page.keyboard.press("Space")
    assert played.value.status == 200
    page.keyboard.press("4")
    page.wait_for_url("**after=**")

    sync_api.expect(page.get_by_text("已记录：不满意。机器听成：满意。")).to_be_visible()
    assert page.locator(".listening audio").get_attribute("src") == f"/hearings/{second}/sound"
    page.keyboard.press("0")
    sync_api.expect(page.get_by_text("没有待听的话语。")).to_be_visible()
    with sessions() as session:
        assert [one.code for one in session.scalars(select(HearingReview).order_by(HearingReview.id))] == ["dissatisfied", None]
        heard = session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "hearing.play")).all()
    assert f"hearing:{first}" in heard
    assert page.complaints == []


def test_without_scripts_the_buttons_do_the_same(enter, hear, sessions):  # noqa: F811
    hear("satisfied")
    page = enter("operator", scripts=False)
    page.goto("/hearings/review")
    page.get_by_role("button", name="非常不满意").click()

    sync_api.expect(page.get_by_text("已采纳的回答有误")).to_be_visible()
