"""Orders over HTTP: a whole life by the four roles, lists, conflicts, masking, both languages (O28–O38, R35, R47–R55)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from ivr.console.services import ConsoleServices
from survey import casework
from survey.store.models import Answer, CallAttempt, Escalation, Order, Recall, Takeover, User
from survey.store.sealing import place
from tests.conftest import StandingClock
from tests.ivr.console.builders import NOON, an_answer, an_attempt
from tests.ivr.console.conftest import LogIn, csrf_of, post
from tests.ivr.console.order_desk import NAME, PDF, RIGHT_UNIT, OrderDesk, forms, offered, press, send, take
from tests.survey.scripts import text_of

NUMBER = re.compile(r"\+86100\d+|100\d{8}")
FRIDAY_NIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)
"""The end of the last working day before NOON, in Shanghai."""
IMPROVED = {"improvement": "增派警力", "visited_on": "", "people": ""}


@pytest.fixture
def desk(services: ConsoleServices, clock: StandingClock, passwords: dict[str, str]) -> OrderDesk:
    return OrderDesk(services, clock)


def _steps(page) -> list[str]:
    """The step of each line of the history."""
    heads = [one.text.strip() for one in page.all("th") if one.attributes.get("scope") == "row"]
    return [head for head in heads if not head.endswith(".pdf")]


def test_an_order_lives_from_the_sweep_to_its_end_by_the_hands_of_three_roles(desk, log_in, open_page, clock):
    [order_id] = desk.issued()
    unit, centre, operator = (log_in(role) for role in ("unit", "centre", "operator"))
    page = f"/orders/{order_id}"

    for client, action, words in (
        (unit, "sign", {}), (unit, "take_in_hand", {}), (unit, "answer", {}), (centre, "return", {}),
        (unit, "take_in_hand", {}), (unit, "answer", {}), (operator, "begin_recall", {}), (operator, "note_recall", {}),
        (unit, "take_in_hand", {}), (unit, "answer", {}), (centre, "begin_recall", {}), (centre, "note_recall", {}),
        (unit, "take_in_hand", {}), (unit, "answer", {}), (centre, "close", {"outcome": "explained"}),
    ):  # fmt: skip
        clock.advance(seconds=30)
        assert take(client, order_id, action, **words).status_code == 303, action

    order = desk.order(order_id)
    assert (order.state, order.outcome, order.returns, order.replies, order.supervised) == ("closed", "explained", 2, 4, True)
    shown = open_page(unit, page)
    assert _steps(shown) == [
        "下发", "签收", "开始办理", "回复", "退回重办", "开始办理", "回复", "开始再次回访", "登记再次回访结果", "开始办理", "回复",
        "开始再次回访", "登记再次回访结果", "开始办理", "回复", "办结",
    ]  # fmt: skip
    assert "措施不具体" in shown.text
    assert "归档号 2026-0001" in shown.text
    assert desk.case(order.escalation.public_id).state == "closed", "the ticket leaves the queue with its order"
    assert [one.actor for one in desk.trail("order.note_recall")] == ["operator", "centre"]


def test_a_second_call_is_shown_with_when_it_may_come_and_what_was_answered(desk, log_in, open_page, clock):
    [order_id] = desk.issued()
    unit = log_in("unit")
    for action in ("sign", "take_in_hand", "answer"):
        assert take(unit, order_id, action).status_code == 303
    office = replace(desk.services.office, followups={"zh": text_of("followup-zh.yaml")})
    with desk.services.sessions.begin() as session:
        casework.recall_due(session, office, office.terms, clock.now())
    shown = open_page(unit, f"/orders/{order_id}").text
    assert "第 1 次回复后的再次回访" in shown
    assert "尚未拨打。" in shown

    with desk.services.sessions.begin() as session:
        recall = session.scalars(select(Recall)).one()
        an_answer(session, an_attempt(session, recall.respondent, 1), "satisfied_now", "yes", score=None)
    shown = open_page(log_in("centre"), f"/orders/{order_id}").text
    assert re.search(r"现在是否满意\s*：\s*是", shown)
    assert "尚未拨打。" not in shown


def test_what_the_operator_noted_of_the_talk_is_read_on_the_page_and_not_the_persons_name(desk, log_in, sessions, keys):
    [order_id] = desk.issued()
    with sessions.begin() as session:
        respondent_id = session.scalars(select(Order.respondent_id).where(Order.public_id == order_id)).one()
        attempt_id = session.scalars(select(CallAttempt.id).where(CallAttempt.respondent_id == respondent_id)).first()
        identity = "1" * 32
        noted = keys.seal(f"{NAME}要求所里说明", place("takeovers", "remark_sealed", identity))
        session.add(
            Takeover(
                public_id=identity, attempt_id=attempt_id, reason="dissatisfied", state="done", opened_at=NOON, verdict="order",
                remark_sealed=noted,
            )
        )  # fmt: skip

    for role in ("unit", "centre", "commander"):
        page = log_in(role).get(f"/orders/{order_id}").text
        assert "＊＊＊要求所里说明" in page
        assert NAME not in page


def test_the_head_asks_for_time_and_the_centre_grants_it(desk, log_in, open_page):
    [order_id] = desk.issued()
    desk.make_head()
    unit, centre = log_in("unit"), log_in("centre")
    before = desk.order(order_id).due_at

    assert take(unit, order_id, "ask_extension", days="9").status_code == 422
    assert take(unit, order_id, "ask_extension").status_code == 303
    assert "延期待审批" in open_page(centre, "/orders?tab=requests").text
    assert take(centre, order_id, "decide_extension", decision="granted").status_code == 303

    order = desk.order(order_id)
    assert (order.extension, (order.due_at - before).days) == ("granted", 2)
    assert "剩 7 个工作日" in open_page(unit, f"/orders/{order_id}").text


def test_only_the_head_of_a_unit_is_offered_an_extension(desk, log_in):
    [order_id] = desk.issued()
    unit = log_in("unit")
    assert "ask_extension" not in offered(unit.get(f"/orders/{order_id}").text, order_id)

    refused = post(unit, f"/orders/{order_id}/ask-extension", version="1", days="2", reason="需外地核实")

    assert refused.status_code == 409
    assert "须由单位负责人申请" in refused.text
    assert "需外地核实" in refused.text, "what was typed is shown, though no form takes it"


def test_an_appeal_is_decided_by_the_centre_and_ends_the_order(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    take(unit, order_id, "appeal")

    assert take(centre, order_id, "decide_appeal", decision="upheld").status_code == 303

    shown = open_page(unit, f"/orders/{order_id}")
    assert "申诉成立" in shown.text
    assert "录像显示三分钟到场" in shown.text
    assert desk.order(order_id).outcome == "appeal_upheld"


def test_an_appeal_about_one_of_its_items_leaves_the_order_to_the_unit_and_the_page_says_so(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    take(unit, order_id, "appeal", items="speed")
    take(centre, order_id, "decide_appeal", decision="upheld")

    assert "其余项目继续办理，期限不变" in open_page(unit, f"/orders/{order_id}").text
    assert "sign" in offered(unit.get(f"/orders/{order_id}").text, order_id)
    assert desk.order(order_id).state == "issued"


def test_an_appeal_waits_no_more_once_its_order_is_voided(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    take(unit, order_id, "appeal")
    take(centre, order_id, "void")

    for address in (f"/orders/{order_id}", "/orders?tab=ended", f"/orders/{order_id}/print"):
        shown = open_page(centre, address).text
        assert "未及裁定" in shown
        assert "待裁定" not in shown


def test_an_order_that_was_not_its_own_is_given_to_the_right_unit_where_the_appeal_is_decided(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    take(unit, order_id, "appeal", ground="not_own")
    assert "申诉成立时改派给（不选即办结）" in open_page(centre, f"/orders/{order_id}").text
    assert take(centre, order_id, "decide_appeal", decision="upheld", unit=str(RIGHT_UNIT)).status_code == 303

    assert (desk.order(order_id).unit_id, desk.order(order_id).state) == (RIGHT_UNIT, "issued")
    assert unit.get(f"/orders/{order_id}").status_code == 404
    assert "改派" in open_page(centre, f"/orders/{order_id}").text
    with desk.services.sessions.begin() as session:
        session.execute(update(User).where(User.name == "unit").values(unit_id=RIGHT_UNIT))
    for client in (centre, log_in("unit")):
        shown = open_page(client, f"/orders/{order_id}").text
        assert "申诉成立" in shown
        assert "期限不变" not in shown, "the unit that has it now has a deadline of its own, and all the items"


def test_no_other_unit_is_offered_with_the_appeal_while_the_person_is_being_called_again(desk, log_in):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, order_id, action)
    take(unit, order_id, "appeal", ground="not_own")
    assert "申诉成立时改派给" in centre.get(f"/orders/{order_id}").text
    take(centre, order_id, "begin_recall")

    shown = centre.get(f"/orders/{order_id}").text
    assert "decide_appeal" in offered(shown, order_id)
    assert "申诉成立时改派给" not in shown


def test_accountability_is_opened_on_a_verified_fault_and_decided_once(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit, centre, page = log_in("unit"), log_in("centre"), f"/orders/{order_id}"
    assert f"{page}/accountability" not in forms(centre.get(page).text)
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, order_id, action)

    assert press(centre, page, f"{page}/accountability", fault="attitude").status_code == 303
    again = press(centre, page, f"{page}/accountability", fault="attitude")
    [record] = [address for address in forms(centre.get(page).text) if re.search(r"/accountability/[0-9a-f]{32}$", address)]
    tomorrow = press(centre, page, record, decided_on="2026-11-24", reason="诫勉谈话")
    done = press(centre, page, record, decided_on="2026-11-23", reason="诫勉谈话")

    assert (again.status_code, tomorrow.status_code, done.status_code) == (409, 422, 303)
    assert "诫勉谈话" in tomorrow.text
    [other] = desk.issued()
    elsewhere = record.replace(order_id, other)
    assert post(centre, elsewhere, version="1", decided_on="2026-11-23", reason="诫勉谈话").status_code == 404
    assert "诫勉谈话" in open_page(centre, page).text
    assert record not in forms(centre.get(page).text)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────


def _numbers(page) -> list[str]:
    return [one.text.strip() for one in page.all("a") if re.fullmatch(r"/orders/[0-9a-f]{32}", one.attributes["href"])]


def _waiting(page) -> list[str]:
    """The incidents' numbers in the rows of what has no order yet."""
    return re.findall(r'<th scope="row"[^>]*>(?:<a[^>]*>)?(\d{14})<', page.html)


def test_each_tab_counts_its_rows_and_the_nearest_deadline_comes_first(desk, log_in, open_page):
    late, _urgent, signed, answered, void = (desk.issued(reasons=reasons)[0] for reasons in (
        ("dissatisfied",), ("dissatisfied", "danger"), ("dissatisfied",), ("dissatisfied",), ("dissatisfied",)
    ))  # fmt: skip
    unit, centre = log_in("unit"), log_in("centre")
    take(unit, signed, "sign")
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, answered, action)
    take(centre, void, "void")
    with desk.services.sessions.begin() as session:
        session.execute(update(Order).where(Order.public_id == late).values(due_at=FRIDAY_NIGHT))

    counts = {}
    for tab in ("to_issue", "running", "today", "soon", "overdue", "requests", "answered", "recalling", "supervised", "ended", "all"):
        page = open_page(centre, f"/orders?tab={tab}")
        link = next(one for one in page.all("a") if "active" in one.attributes.get("class", ""))
        counts[tab] = int(link.text.split()[-1])
        assert counts[tab] == len(_numbers(page)), tab

    assert counts == {"to_issue": 0, "running": 3, "today": 1, "soon": 1, "overdue": 1, "requests": 0, "answered": 1, "recalling": 0,
                      "supervised": 0, "ended": 1, "all": 5}  # fmt: skip
    running = open_page(centre, "/orders")
    assert _numbers(running) == ["2026-0001", "2026-0002", "2026-0003"]
    assert "今日到期" in running.text
    assert "逾期 1 个工作日 （11月20日 周五）" in running.text


def test_a_number_is_found_whatever_its_tab_by_that_of_the_order_or_of_the_incident(desk, log_in, open_page):
    first, _, third = desk.issued(3)
    centre = log_in("centre")
    take(centre, third, "void")
    incident = re.search(r"\d{14}", open_page(centre, f"/orders/{first}").text)[0]

    def found(number: str, client=centre, **more: str) -> list[str]:
        asked = "&".join(f"{name}={quote(value)}" for name, value in {"number": number, **more}.items())
        return _numbers(open_page(client, f"/orders?{asked}"))

    assert found("2026-0003") == found(" 2026－3 ") == found("〔2026〕3号") == ["2026-0003"], "an order that has ended, too"
    assert found(incident) == found(incident[-6:]) == ["2026-0001"]
    assert found("%") == found("2026-9999") == found("2026-" + "9" * 40) == found("'; DROP TABLE orders") == []
    assert found("2026-0003", tab="running") == []
    links = [one.attributes["href"] for one in open_page(centre, "/orders?number=2026-0003").all("a")]
    assert [link for link in links if "?tab=" in link and "number=2026-0003" not in link] == []


def test_the_number_of_a_case_that_waits_for_its_order_is_found_too(desk, log_in, open_page):
    [order_id] = desk.issued()
    desk.cases(2)
    centre = log_in("centre")
    mine = re.search(r"\d{14}", open_page(centre, f"/orders/{order_id}").text)[0]
    waiting, other = _waiting(open_page(centre, "/orders?tab=to_issue"))

    found = open_page(centre, f"/orders?number={waiting}")
    assert _waiting(found) == [waiting], "no order has it, and no tab was asked for"
    assert re.search(r"待下发\s*1\b", found.text)
    assert _waiting(open_page(centre, f"/orders?number={waiting}&tab=all")) == []
    assert _waiting(open_page(centre, f"/orders?number={mine}&tab=to_issue")) == []
    assert _numbers(open_page(centre, f"/orders?number={mine}")) == ["2026-0001"]
    assert _waiting(open_page(centre, "/orders?number=%25&tab=to_issue")) == []
    both = open_page(centre, f"/orders?number={waiting[:8]}")
    assert (_numbers(both), _waiting(both)) == (["2026-0001"], []), "orders first"
    assert _waiting(open_page(centre, f"/orders?number={other}")) == [other]
    assert _waiting(open_page(log_in("unit"), f"/orders?number={waiting}")) == []


def test_a_unit_finds_its_own_orders_only(desk, log_in, open_page):
    mine, other = desk.issued(2)
    with desk.services.sessions.begin() as session:
        session.execute(update(Order).where(Order.public_id == other).values(unit_id=None))

    assert _numbers(open_page(log_in("unit"), "/orders?number=2026-0001")) == ["2026-0001"]
    assert _numbers(open_page(log_in("unit"), "/orders?number=2026-0002")) == []
    assert mine


def test_hovering_over_a_deadline_lists_the_days_counted(desk, log_in, open_page):
    late, running = desk.issued(2)
    with desk.services.sessions.begin() as session:
        session.execute(update(Order).where(Order.public_id == late).values(due_at=FRIDAY_NIGHT))
    page = open_page(log_in("centre"), "/orders")

    told = [one.attributes["title"] for one in page.all("span") if one.attributes.get("title")]
    assert told == [
        "计入的工作日：11月23日 周一",
        "计入的工作日：11月24日 周二、11月25日 周三、11月26日 周四、11月27日 周五、11月30日 周一",
    ]
    assert "剩 5 个工作日 （11月30日 周一）" in page.text
    assert running


def test_the_sort_stays_in_the_address_with_tab_and_filters(desk, log_in, open_page, clock):
    desk.issued()
    clock.advance(minutes=5)
    desk.issued()
    centre = log_in("centre")
    page = open_page(centre, "/orders?tab=all&sort=newest&state=issued")

    assert _numbers(page) == ["2026-0002", "2026-0001"]
    assert _numbers(open_page(centre, "/orders?tab=all&sort=nonsense")) == ["2026-0001", "2026-0002"]
    assert any(one.attributes["href"] == "/orders?tab=ended&state=issued&sort=newest" for one in page.all("a"))


def test_filters_stay_in_the_address_narrow_list_and_counts_and_nonsense_is_ignored(desk, log_in, open_page, month, sessions):
    desk.issued(2)
    centre = log_in("centre")
    with sessions() as session:
        unit = session.query(Order.unit_id).filter(Order.year == 2026).first()[0]

    page = open_page(centre, f"/orders?tab=all&unit={unit}&month=2026-11&state=issued")
    other = open_page(centre, "/orders?tab=all&state=closed")
    nonsense = open_page(centre, "/orders?tab=x&unit=y&month=2026-99&state=z&page=q")

    assert _numbers(page)
    assert any(one.attributes["href"] == f"/orders?tab=ended&unit={unit}&month=2026-11&state=issued" for one in page.all("a"))
    assert _numbers(other) == []
    assert len(_numbers(nonsense)) >= 2


def test_long_lists_come_in_pages_of_fifty(desk, log_in, open_page):
    desk.issued(60)
    centre = log_in("centre")

    first, second = open_page(centre, "/orders"), open_page(centre, "/orders?page=2")

    assert (len(_numbers(first)), len(_numbers(second))) == (50, 10)
    assert "第 2 / 2 页" in second.text
    assert not set(_numbers(first)) & set(_numbers(second))


def test_cases_without_an_order_say_why_and_the_centre_issues_by_hand(desk, log_in, open_page, services):
    [case] = desk.cases()
    [waiting] = desk.cases(settled=False)
    desk.cases(unit="")
    centre = log_in("centre")

    page = open_page(centre, "/orders?tab=to_issue")
    assert all(why in page.text for why in ("即将自动下发", "通话尚未结束或结果未定", "警情未指定办理单位，无处可下发"))
    assert [one for one in forms(page.html) if one.endswith("/issue")] == [f"/orders/cases/{case}/issue"]
    issued = press(centre, "/orders?tab=to_issue", f"/orders/cases/{case}/issue")
    again = post(centre, f"/orders/cases/{case}/issue")
    early = post(centre, f"/orders/cases/{waiting}/issue")

    assert issued.headers["Location"] == again.headers["Location"], "one case, one order"
    assert early.headers["Location"] == "/orders?tab=to_issue"
    order = desk.order(issued.headers["Location"].rpartition("/")[2])
    assert (order.issued_by, order.year, order.serial) == ("centre", 2026, 1)
    assert "尚未下发" in centre.get(f"/escalations/{waiting}").text


def test_a_unit_sees_its_own_orders_alone_and_whoever_forges_an_address_is_on_record(desk, log_in, open_page, month, sessions):
    [own] = desk.issued()
    with sessions() as session:
        foreign = session.query(Order).filter(Order.unit_id != desk.order(own).unit_id).first()
    unit = log_in("unit")

    page = open_page(unit, "/orders?tab=all")

    assert foreign is not None
    assert len(_numbers(page)) == 1
    assert "to_issue" not in page.html
    open_page(unit, f"/orders/{foreign.public_id}", 404)
    assert post(unit, f"/orders/{foreign.public_id}/sign", version="1").status_code == 404
    assert [(one.actor, one.subject) for one in desk.trail("access.refused")] == [
        ("unit", "page:orders.show"), ("unit", "page:order_handling.sign"),
    ]  # fmt: skip
    assert desk.order(foreign.public_id).state == "issued"


def test_the_home_of_a_unit_counts_what_it_has_to_do(desk, log_in, open_page):
    late, signed, _fresh, today = *desk.issued(3), *desk.issued(reasons=("dissatisfied", "danger"))
    unit = log_in("unit")
    take(unit, signed, "sign")
    with desk.services.sessions.begin() as session:
        session.execute(update(Order).where(Order.public_id == late).values(due_at=FRIDAY_NIGHT))

    page = open_page(unit, "/")

    figures = [" ".join(one.text.split()) for one in page.all("div") if one.attributes.get("class") == "figure-box"]
    assert figures == [
        "待签收 3 最早期限 11月20日 周五", "办理中 4 最早期限 11月20日 周五", "今日到期 1 最早期限 11月23日 周一",
        "逾期 1 最早期限 11月20日 周五", "已退回 0",
    ]  # fmt: skip
    assert today
    assert "目前没有需要本单位办理的事项" not in page.text


# ── who may know what ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("consent", ["no", "unasked"])
def test_without_consent_no_page_of_an_order_holds_name_or_number(desk, log_in, open_page, consent):
    [order_id] = desk.issued(consent=consent)
    page = f"/orders/{order_id}"
    for role in ("unit", "centre", "inspection", "operator", "commander", "auditor"):
        client = log_in(role)
        html = open_page(client, page).html + open_page(client, "/orders?tab=all").html
        assert NAME not in html, role
        assert not NUMBER.search(html), role
        assert f"{page}/contact" not in forms(html), role
    unit = log_in("unit")

    refused = post(unit, f"{page}/contact", reason="上门核实情况")

    assert refused.status_code == 409
    assert NAME not in refused.text
    assert desk.trail("order.contact") == []
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    visited = take(unit, order_id, "answer")
    assert visited.status_code == 422, "there can be no visit"
    assert take(unit, order_id, "answer", **IMPROVED).status_code == 303


def test_with_consent_name_and_number_are_shown_once_against_a_reason_that_is_on_record(desk, log_in, open_page):
    [order_id] = desk.issued()
    page, unit = f"/orders/{order_id}", log_in("unit")
    assert NAME not in open_page(unit, page).html

    silent = press(unit, page, f"{page}/contact", reason=" ")
    told = press(unit, page, f"{page}/contact", reason="上门核实情况")

    assert silent.status_code == 422
    assert NAME not in silent.text
    assert NAME in told.text
    assert "+86100" in told.text
    assert told.headers["Refresh"] == f"30; url={page}"
    assert NAME not in open_page(unit, page).html
    assert [(one.actor, "上门核实情况" in one.details) for one in desk.trail("order.contact")] == [("unit", True)]
    assert post(log_in("operator"), f"{page}/contact", reason="上门核实情况").status_code == 403


def test_consent_that_is_taken_back_holds_for_an_order_that_is_out(desk, log_in, open_page):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    with desk.services.sessions.begin() as session:
        session.execute(update(Escalation).values(consent="no"))

    page = open_page(unit, f"/orders/{order_id}")

    assert f"/orders/{order_id}/contact" not in forms(page.html)
    assert "当事人不同意联系：不上门" in page.text
    assert take(unit, order_id, "answer", **IMPROVED).status_code == 303


def test_an_allegation_of_abuse_is_handled_by_inspection_and_unknown_to_all_others(desk, log_in, open_page):
    [order_id] = desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    page, inspection = f"/orders/{order_id}", log_in("inspection")

    for role in ("unit", "centre", "operator", "commander", "auditor"):
        client = log_in(role)
        open_page(client, page, 404)
        assert _numbers(open_page(client, "/orders?tab=all")) == [], role
    assert _numbers(open_page(inspection, "/orders?tab=all")) == ["2026-0001"]

    for action, words in (
        ("sign", {}),
        ("take_in_hand", {}),
        ("answer", {}),
        ("begin_recall", {}),
        ("note_recall", {"result": "satisfied"}),
    ):
        assert take(inspection, order_id, action, **words).status_code == 303, action
    assert desk.order(order_id).outcome == "satisfied"


def test_an_order_whose_case_goes_to_inspection_is_gone_for_the_unit_that_has_it_open(desk, log_in):
    [order_id] = desk.issued()
    unit = log_in("unit")
    hidden = forms(unit.get(f"/orders/{order_id}").text)[f"/orders/{order_id}/sign"]
    with desk.services.sessions.begin() as session:
        session.execute(update(Escalation).values(route="inspection", reasons=["dissatisfied", "abuse_alleged"]))

    assert send(unit, f"/orders/{order_id}/sign", hidden).status_code == 404
    assert unit.get("/").text.count("<dd>0</dd>") == 5


def test_only_the_five_ratings_are_on_an_order_whatever_else_was_answered(desk, log_in, open_page):
    [order_id] = desk.issued()
    with desk.services.sessions.begin() as session:
        one = session.query(Answer).first()
        session.add(Answer(respondent_id=one.respondent_id, attempt_id=one.attempt_id, script_version_id=one.script_version_id,
                           item="interference", code="yes", raw="1", mode="keys", answered_at=NOON))  # fmt: skip

    text = open_page(log_in("unit"), f"/orders/{order_id}").text

    assert "被要求给好评" not in text
    assert "非常不满意" in text


# ── two at once ──────────────────────────────────────────────────────────────────────────────────────


def test_a_later_save_is_refused_with_what_others_did_and_keeps_what_was_typed(desk, log_in):
    [order_id] = desk.issued()
    unit, centre, page = log_in("unit"), log_in("centre"), f"/orders/{order_id}"
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    hidden = forms(unit.get(page).text)[f"{page}/answer"]
    take(centre, order_id, "attach")

    late = send(unit, f"{page}/answer", hidden, finding="partly", cause="objective", explanation="当时警力不足", visited_on="2026-11-23",
                people="钱所长")  # fmt: skip

    assert late.status_code == 409
    assert "您打开的是第 3 版，现为第 4 版" in late.text
    assert re.search(r"测试centre.*添加附件", late.text, re.S)
    assert "当时警力不足" in late.text
    assert '<option value="partly" selected>' in late.text
    assert desk.order(order_id).state == "in_hand"
    again = forms(late.text)[f"{page}/answer"]
    sent = send(unit, f"{page}/answer", again, finding="partly", cause="objective", explanation="当时警力不足", visited_on="2026-11-23",
                people="钱所长")  # fmt: skip
    assert sent.status_code == 303


def test_what_was_typed_is_not_lost_when_the_order_was_closed_meanwhile(desk, log_in):
    [order_id] = desk.issued()
    unit, centre, page = log_in("unit"), log_in("centre"), f"/orders/{order_id}"
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    hidden = forms(unit.get(page).text)[f"{page}/answer"]
    take(centre, order_id, "void")

    late = send(unit, f"{page}/answer", hidden, finding="partly", cause="objective", explanation="当时警力不足")

    assert late.status_code == 409
    assert f"{page}/answer" not in forms(late.text)
    assert "当时警力不足" in late.text
    assert "误发" in late.text


def test_an_insufficient_reply_is_refused_at_its_field_with_all_that_was_typed(desk, log_in):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")

    refused = take(unit, order_id, "answer", measure="", explanation="写错了栏目的说明")
    future = take(unit, order_id, "answer", visited_on="2026-11-24")
    no_day = take(unit, order_id, "answer", visited_on="上周")

    assert [one.status_code for one in (refused, future, no_day)] == [422, 422, 422]
    assert "请填写整改措施" in refused.text
    assert "写错了栏目的说明" in refused.text
    assert re.search(r'id="answer-measure"[^>]*aria-invalid="true"', refused.text)
    assert re.search(r'id="answer-visited_on"[^>]*aria-invalid="true"', no_day.text)
    assert desk.order(order_id).state == "in_hand"


def test_a_form_without_the_version_that_was_seen_changes_nothing(desk, log_in):
    [order_id] = desk.issued()
    unit = log_in("unit")

    assert post(unit, f"/orders/{order_id}/sign").status_code == 400
    assert post(unit, f"/orders/{order_id}/sign", version="first").status_code == 400
    assert desk.order(order_id).state == "issued"


def test_a_year_without_a_calendar_is_said_and_nothing_is_lost(desk, log_in, clock):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    for action in ("sign", "take_in_hand", "answer"):
        take(unit, order_id, action)
    clock.moment = NOON.replace(month=12, day=30)
    centre = log_in("centre")

    refused = take(centre, order_id, "return", reason="措施太空泛")

    assert refused.status_code == 409
    assert "2027" in refused.text
    assert "措施太空泛" in refused.text
    assert desk.order(order_id).state == "answered"


# ── languages, marks ─────────────────────────────────────────────────────────────────────────────────

NAMES = re.compile(r"警情回访|城[南北]派出所|测试[a-z]+|纠纷|中文|批评教育|钱所长|现场\.pdf|措施不具体")


@pytest.mark.parametrize("role", ["unit", "centre", "commander", "inspection"])
def test_english_pages_hold_no_chinese_but_names(desk, log_in, open_page, role):
    desk.make_head()
    first, *_rest = desk.issued(3)
    unit, centre = log_in("unit"), log_in("centre")
    for action in ("sign", "take_in_hand", "answer", "attach"):
        take(unit, first, action)
    take(centre, first, "return")
    client = log_in(role, "en")

    for address in (f"/orders/{first}", "/orders", "/orders?tab=all", "/orders?tab=overdue", "/"):
        page = open_page(client, address)
        rest = NAMES.sub("", page.text)
        assert not re.findall(r"[\u4e00-\u9fff]+", rest), address
    refused = client.post(
        f"/orders/{first}/return", data={"version": "1", "reason": "x" * 9, "csrf_token": csrf_of(client, f"/orders/{first}")}
    )
    assert not re.findall(r"[\u4e00-\u9fff]+", NAMES.sub("", re.sub(r"<[^>]+>", "", refused.text)))
    assert role in ("unit", "commander") or "You started from version 1" in refused.text


def test_the_file_is_named_in_the_history_and_the_list_of_files(desk, log_in: LogIn, open_page):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    assert take(unit, order_id, "answer", files=[(PDF, "现场.pdf")]).status_code == 303

    page = open_page(unit, f"/orders/{order_id}")

    assert "现场.pdf" in page.text
    assert _steps(page) == ["下发", "签收", "开始办理", "添加附件", "回复"]
