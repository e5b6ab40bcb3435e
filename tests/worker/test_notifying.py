"""Notices find their way out: once, in office hours, also after a downtime, whatever the other side does (R54, O31)."""

import csv
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from ivr.notices.base import DeliveryFailed, Message
from ivr.notices.mail import Mail, MailServer
from ivr.notices.webhook import Webhook
from survey import accounts, casework
from survey.accounts.emails import seal_email
from survey.casework.delivering import LONGEST_PAUSE, TRIES
from survey.notice_problems import Problem
from survey.order_clock import is_office_open
from survey.store.models import Alarm, AuditEntry, Escalation, Notice, NoticeDelivery, Order, Unit, User
from tests import hook_server, mail_server
from tests.calls.foreign_carrier import silence
from tests.conftest import ON_SQLITE_ALONE, StandingClock
from tests.survey.casework.conftest import CENTRE, NAME, Bureau, bureau
from tests.survey.fieldwork.conftest import ground
from tests.worker.test_open_transactions import Line
from tests.worker.transactions import Watch
from worker import jobs, notifying, runtime
from worker.notifying import Reminder, remind
from worker.runtime import Runtime

__all__ = ["bureau", "ground"]

SENDER = "huifang@police.example"
OFFICE = "chengdong@police.example"


@dataclass
class Postman:
    """A channel that keeps what it is given; while `fault` is set it accepts nothing, and says so."""

    got: list[Message] = field(default_factory=list)
    fault: DeliveryFailed | None = None
    tries: int = 0

    def send(self, message: Message) -> None:
        self.tries += 1
        if self.fault is not None:
            raise self.fault
        self.got.append(message)


@dataclass
class Post:
    """A bureau with its runtime, its channels, and a clock that the test moves on."""

    bureau: Bureau
    runtime: Runtime
    mail: Postman
    webhook: Postman

    def at(self, moment: str) -> "Post":
        """A tick at a moment of the bureau's clock, and every job that it wakes."""
        self.bureau.ground.clock.moment = datetime.fromisoformat(f"{moment}+08:00")
        return self.tick()

    def tick(self) -> "Post":
        remind(self.runtime)
        asked, self.bureau.ground.queue.asked = self.bureau.ground.queue.asked, []
        for job, row_id, epoch in asked:
            if job == "send_notice":
                jobs.send_notice(row_id, epoch)
        return self

    def deliveries(self, channel: str = "") -> list[NoticeDelivery]:
        with self.bureau.ground.sessions() as session:
            found = session.scalars(select(NoticeDelivery).order_by(NoticeDelivery.id)).all()
            for one in found:
                assert one.notice.key
            return [one for one in found if channel in ("", one.channel)]

    def states(self, channel: str = "") -> list[tuple[str, str, str, str]]:
        return [(one.notice.kind, one.channel, one.recipient.partition(":")[0], one.state) for one in self.deliveries(channel)]

    def change(self, entity: Any, **values: Any) -> None:
        with self.bureau.ground.work() as work:
            work.session.execute(update(entity).values(**values))

    def account(self, name: str, role: str, unit: str = "", email: str = "") -> None:
        with self.bureau.ground.work() as work:
            accounts.add_user(work.session, name, role, "", self.bureau.now, unit)
            user = work.session.scalars(select(User).where(User.name == name)).one()
            seal_email(self.bureau.ground.office.keys, user, email)

    def alarms(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.bureau.ground.sessions() as session:
            standing = session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.id))
            return [(one.kind, one.subject, one.details) for one in standing]


@pytest.fixture
def post(bureau: Bureau, tmp_path: Path) -> Iterator[Post]:
    """One order of a unit that has an address, with e-mail and web-hook set up."""
    before, mail, hook = runtime._Holder.runtime, Postman(), Postman()
    ground, line = bureau.ground, Line(Watch(), {"fetch_recording": silence(1)})
    ours = Runtime(ground.work, ground.office, ground.clock, line, tmp_path, "http://127.0.0.1:1", channels={"mail": mail, "webhook": hook})  # type: ignore[arg-type]
    runtime.install(ours)
    bureau.signed()
    made = Post(bureau, ours, mail, hook)
    made.change(Unit, email=OFFICE)
    made.tick()
    yield made
    runtime._Holder.runtime = before


REFUSED = DeliveryFailed(Problem("refused"))


@pytest.mark.parametrize(
    ("has_head", "told"), [(True, {"sun@police.example"}), (False, {OFFICE, "zhou@police.example", "sun@police.example"})]
)
def test_that_nobody_has_signed_for_two_days_is_written_to_the_head_of_the_unit_alone_if_it_has_one(
    post: Post, has_head: bool, told: set[str]
) -> None:
    post.account("zhou", "unit", "U0", "zhou@police.example")
    post.account("sun", "unit", "U0", "sun@police.example")
    with post.bureau.ground.work() as work:
        work.session.execute(update(User).where(User.name == "sun").values(is_head=has_head))
    post.change(Order, state="issued")
    post.at("2026-03-12T09:00").at("2026-03-13T09:00")

    assert {one.address for one in post.mail.got if one.facts["kind"] == "unsigned"} == {
        OFFICE,
        "zhou@police.example",
        "sun@police.example",
    }
    assert {one.address for one in post.mail.got if one.facts["kind"] == "leader"} == told


def test_a_reminder_by_hand_goes_out_at_the_next_tick_and_once(post: Post) -> None:
    post.at("2026-03-11T09:00")
    with post.bureau.ground.sessions() as session:
        order_id = session.scalars(select(Order.public_id)).one()
    with post.bureau.ground.work() as work:
        casework.urge(work.session, post.bureau.ground.office, order_id, CENTRE, post.bureau.terms, post.bureau.now)
    post.tick().tick()

    assert [(one.address, one.facts["kind"]) for one in post.mail.got] == [(OFFICE, "urge")]
    assert [one.facts["text"]["zh"] for one in post.webhook.got] == ["催办：交办单 2026-0001，期限 2026-03-17，剩 4 个工作日"]


def test_each_notice_goes_once_by_every_channel_that_is_set_up(post: Post) -> None:
    post.account("zhou", "unit", "U0", "zhou@police.example")
    post.account("li", "centre", email="li@police.example")
    post.at("2026-03-16T09:00").tick().tick()

    assert Counter((one.facts["kind"], one.address) for one in post.mail.got) == {
        ("eve", OFFICE): 1, ("eve", "zhou@police.example"): 1, ("weekly", OFFICE): 1, ("weekly", "zhou@police.example"): 1,
        ("weekly", "li@police.example"): 1,
    }  # fmt: skip
    assert [one.facts["kind"] for one in post.webhook.got] == ["eve", "weekly", "weekly"]
    assert {state for *_, state in post.states()} == {"sent"}
    assert len({one.identity for one in post.mail.got}) == 5


def test_nothing_set_up_means_the_console_and_the_files_alone(post: Post) -> None:
    runtime.install(replace(post.runtime, channels={}))
    post.runtime = runtime.current()
    post.at("2026-03-16T09:00")

    assert post.states() == [("weekly", "file", "file", "sent")] * 2
    with post.bureau.ground.sessions() as session:
        assert set(session.scalars(select(Notice.state))) == {"waiting"}, "nobody has read it yet"


def test_the_letter_is_in_chinese_and_then_in_english_and_holds_nothing_personal(post: Post) -> None:
    post.at("2026-03-16T09:00").at("2026-03-18T09:00")

    eve, weekly, overdue = (one for one in post.mail.got)
    assert overdue.subject == "[某市公安局] 交办单已逾期 / An order is overdue"
    zh, en = overdue.text.split("-" * 40)
    assert "城东派出所：" in zh
    assert "交办单 2026-0001 已逾期 1 个工作日，请立即办理" in zh
    assert "order 2026-0001 is 1 working days overdue" in en
    assert "交办单" not in en
    assert "2026-0001  已签收  剩 1 个工作日" in weekly.text
    assert "2026-0001  signed for  1 working days left" in weekly.text
    told = "".join(one.text + one.subject + str(one.facts) for one in [*post.mail.got, *post.webhook.got])
    assert not [word for word in (NAME, "+86100", "J000000") if word in told]
    assert eve.facts["details"] == {"due_on": "2026-03-17"}


def test_what_inspection_has_goes_to_inspections_own_people_and_nowhere_else(post: Post) -> None:
    post.account("he", "inspection", email="he@police.example")
    post.account("li", "centre", email="li@police.example")
    post.change(Escalation, route="inspection")
    post.at("2026-03-16T09:00")

    assert post.states() == [("eve", "mail", "user", "sent"), ("weekly", "mail", "user", "sent")]
    assert {one.address for one in post.mail.got} == {"he@police.example"}
    assert not (post.runtime.data / "lists").exists()


def test_the_lists_lie_below_the_data_folder_with_nothing_personal(post: Post) -> None:
    post.change(Unit, code="城东/../所")
    post.at("2026-03-16T09:00")

    folder = post.runtime.data / "lists" / "2026-03-16"
    assert sorted(path.name for path in folder.iterdir()) == [
        "all-units.csv", "all-units.xlsx", "unit-~57ce~4e1c~2f~2e~2e~2f~6240.csv", "unit-~57ce~4e1c~2f~2e~2e~2f~6240.xlsx",
    ]  # fmt: skip
    lines = list(csv.reader((folder / "all-units.csv").read_text("utf-8-sig").splitlines()))
    assert ["2026-0001", "城东派出所", "已签收", "2026-03-10", "2026-03-17", "1", "", "0", ""] in lines
    assert ["合计", "1", "0", "1", "0", "0", "0"] in lines
    book = openpyxl.load_workbook(folder / "all-units.xlsx")
    assert book.sheetnames == ["未办结交办单", "本月计数"]
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "2026-0001" in cells
    assert not [cell for cell in cells if NAME in cell or "100000" in cell]
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}


def test_a_list_that_cannot_be_written_is_tried_again(post: Post) -> None:
    (post.runtime.data / "lists").write_text("in the way")
    post.at("2026-03-16T09:00")
    assert post.states("file") == [("weekly", "file", "file", "waiting")] * 2
    assert {one.problem for one in post.deliveries("file")} == {"file"}

    (post.runtime.data / "lists").unlink()
    post.at("2026-03-16T09:02")
    assert post.states("file") == [("weekly", "file", "file", "sent")] * 2


def test_a_channel_that_fails_is_tried_with_growing_pauses_and_given_up_in_the_end(post: Post) -> None:
    post.change(Unit, email="")
    post.webhook.fault = REFUSED
    post.at("2026-03-16T09:00")
    tries = [(post.bureau.now, post.webhook.tries)]
    while post.bureau.now < datetime.fromisoformat("2026-03-20T18:00+08:00"):
        post.bureau.ground.clock.advance(minutes=30)
        post.tick()
        if post.webhook.tries > tries[-1][1]:
            tries.append((post.bureau.now, post.webhook.tries))

    weekly = [one for one in post.deliveries("webhook") if one.notice.kind == "weekly"]
    assert [(one.state, one.tries, one.problem) for one in weekly] == [("failed", TRIES, "refused")] * 2
    assert all(is_office_open(post.bureau.terms, moment) for moment, _ in tries)
    overdue = {one.notice.key.rsplit(":", 1)[1]: one.state for one in post.deliveries("webhook") if one.notice.kind == "overdue"}
    assert overdue["2026-03-18"] == "dropped", "the next day's says how it stands then"


def test_an_alarm_stands_while_somebody_gets_nothing_for_an_hour_and_ends_when_something_arrives(post: Post) -> None:
    post.mail.fault = REFUSED
    post.at("2026-03-16T09:00").at("2026-03-16T09:59")
    assert post.alarms() == []

    post.at("2026-03-16T10:01").at("2026-03-16T10:02")
    assert post.alarms() == [("notices_fail", "mail", {"problem": "refused", "recipients": 1})]
    with post.bureau.ground.sessions() as session:
        assert session.scalars(select(Alarm.count)).all() == [1]

    post.mail.fault = None
    post.at("2026-03-16T16:00").tick()
    assert post.alarms() == []
    assert {state for *_, state in post.states("mail")} == {"sent"}


def test_an_address_that_is_refused_for_good_is_given_up_at_once_and_can_be_sent_again(post: Post) -> None:
    post.mail.fault = DeliveryFailed(Problem("recipient", 550), is_final=True)
    post.at("2026-03-16T09:00")
    failed = post.deliveries("mail")
    assert [(one.state, one.tries, one.problem) for one in failed] == [("failed", 1, "recipient 550")] * 2

    post.mail.fault = None
    post.change(Unit, email="right@police.example")
    with post.bureau.ground.work() as work:
        for one in failed:
            casework.send_again(work.session, post.bureau.ground.office, one.id, "admin", post.bureau.now)
    post.tick()
    assert [one.address for one in post.mail.got] == ["right@police.example"] * 2
    assert [one.identity for one in post.mail.got] == [one.public_id for one in failed]
    with post.bureau.ground.sessions() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "notice.send_again")).all()
    assert [entry.actor for entry in entries] == ["admin"] * 2
    assert OFFICE not in "".join(entry.details for entry in entries)


def test_what_is_sent_again_at_night_goes_out_when_the_office_opens(post: Post) -> None:
    post.mail.fault = DeliveryFailed(Problem("recipient", 550), is_final=True)
    post.at("2026-03-16T09:00")
    failed, post.mail.fault = post.deliveries("mail"), None
    post.bureau.ground.clock.moment = datetime.fromisoformat("2026-03-16T22:00+08:00")
    with post.bureau.ground.work() as work:
        for one in failed:
            casework.send_again(work.session, post.bureau.ground.office, one.id, "admin", post.bureau.now)
    for one in failed:
        jobs.send_notice(one.id, 0)
    assert (post.mail.got, {(one.state, one.tries) for one in post.deliveries("mail")}) == ([], {("waiting", 0)})

    assert post.at("2026-03-17T08:29").mail.got == []
    assert {one.identity for one in post.at("2026-03-17T08:30").mail.got} >= {one.public_id for one in failed}


def test_what_waits_is_not_sent_any_more_once_its_matter_is_over(post: Post) -> None:
    post.mail.fault = REFUSED
    post.at("2026-03-16T09:00")
    post.mail.fault = None
    with post.bureau.ground.sessions() as session:
        [order_id] = [notice.subject.partition(":")[2] for notice in session.scalars(select(Notice).where(Notice.kind == "eve"))]
    post.bureau.answered(order_id)
    post.at("2026-03-16T09:30")

    assert post.states("mail") == [("eve", "mail", "unit", "dropped"), ("weekly", "mail", "unit", "sent")]


@pytest.mark.parametrize(("kind", "day"), [("eve", "2026-03-16"), ("urge", "2026-03-11"), ("overdue", "2026-03-18")])
def test_what_waits_names_no_deadline_that_was_moved_meanwhile(post: Post, kind: str, day: str) -> None:
    bureau = post.bureau
    with bureau.ground.sessions() as session:
        [order_id] = session.scalars(select(Order.public_id))
    bureau.do("ask_extension", order_id, bureau.unit(order_id, head=True), 5, "需外地核实", bureau.terms)
    post.mail.fault = REFUSED
    bureau.ground.clock.moment = datetime.fromisoformat(f"{day}T09:00+08:00")
    if kind == "urge":
        with bureau.ground.work() as work:
            casework.urge(work.session, bureau.ground.office, order_id, CENTRE, bureau.terms, bureau.now)
    post.tick()
    assert kind in {found for found, *_, state in post.states("mail") if state == "waiting"}
    post.mail.fault = None

    if kind == "overdue":
        bureau.do("supervise", order_id, CENTRE, "一再拖延", bureau.terms)
    else:
        bureau.do("decide_extension", order_id, CENTRE, is_granted=True, reason="同意延期", terms=bureau.terms)
    post.at(f"{day}T09:30")

    assert [one for one in post.states("mail") if one[0] == kind] == [(kind, "mail", "unit", "dropped")]
    assert {one.facts["kind"] for one in post.mail.got} <= {"weekly"}


@pytest.mark.parametrize(("change", "problem"), [({"email": ""}, "no_address")])
def test_an_address_that_is_taken_away_meanwhile_gets_nothing(post: Post, change: dict[str, str], problem: str) -> None:
    post.mail.fault = REFUSED
    post.at("2026-03-16T09:00")
    post.mail.fault = None
    post.change(Unit, **change)
    post.at("2026-03-16T09:30")

    assert post.mail.got == []
    assert {(one.state, one.problem) for one in post.deliveries("mail")} == {("dropped", problem)}


def test_who_has_left_the_unit_or_the_house_gets_nothing_that_still_waits(post: Post) -> None:
    post.account("zhou", "unit", "U0", "zhou@police.example")
    post.account("qian", "unit", "U0", "qian@police.example")
    post.mail.fault = REFUSED
    post.at("2026-03-16T09:00")
    post.mail.fault = None
    with post.bureau.ground.work() as work:
        work.session.execute(update(User).where(User.name == "zhou").values(role="operator", unit_id=None))
        work.session.execute(update(User).where(User.name == "qian").values(disabled_at=post.bureau.now))
    post.at("2026-03-16T09:30")

    assert {one.address for one in post.mail.got} == {OFFICE}


def test_a_channel_that_was_shut_off_meanwhile_is_let_be(post: Post) -> None:
    post.mail.fault = REFUSED
    post.at("2026-03-16T09:00")
    runtime.install(replace(post.runtime, channels={"webhook": post.webhook}))
    post.runtime = runtime.current()
    post.at("2026-03-16T09:30")

    assert {(one.state, one.problem) for one in post.deliveries("mail")} == {("dropped", "off")}


def test_down_from_friday_until_after_the_list_day(post: Post) -> None:
    """Due on Tuesday the 17th; nothing ran from Thursday the 12th until Tuesday noon: what still helps is said once, late."""
    post.at("2026-03-12T15:00").at("2026-03-17T12:00").tick()

    assert [one.facts["kind"] for one in post.mail.got] == ["eve", "weekly"]
    post.at("2026-03-20T17:00").at("2026-03-23T11:00")
    assert [one.facts["kind"] for one in post.mail.got[2:]] == ["overdue", "overdue", "weekly"]
    assert "逾期 4 个工作日" in post.mail.got[3].text, "the overdue days between are not said one by one"


def test_friday_evening_what_failed_waits_over_the_weekend_and_is_dropped_for_mondays(post: Post) -> None:
    post.at("2026-03-16T09:00").at("2026-03-19T09:00")
    post.mail.fault = REFUSED
    post.at("2026-03-20T17:59")
    before = post.mail.tries
    post.mail.fault = None
    for moment in ("20T18:30", "21T10:00", "22T10:00", "23T08:29"):
        post.at(f"2026-03-{moment}")
    assert post.mail.tries == before

    post.at("2026-03-23T08:30")
    friday = [one.state for one in post.deliveries("mail") if one.notice.key.endswith("2026-03-20")]
    assert friday == ["dropped"]
    assert [one.facts["kind"] for one in post.mail.got[-2:]] == ["overdue", "weekly"]


def test_a_clock_that_was_wrong_and_is_set_back_neither_doubles_nor_holds_up(post: Post) -> None:
    post.mail.fault = REFUSED
    post.at("2026-03-16T16:00")
    post.mail.fault = None
    waiting = {one.id for one in post.deliveries("mail")}
    with post.bureau.ground.work() as work:  # as if the try had been made by a clock three weeks ahead
        work.session.execute(
            update(NoticeDelivery).where(NoticeDelivery.channel == "mail").values(due_at=post.bureau.now + timedelta(weeks=3))
        )
    assert timedelta(weeks=3) > LONGEST_PAUSE
    post.at("2026-03-16T10:00").tick()

    assert {one.id: one.state for one in post.deliveries("mail")} == dict.fromkeys(waiting, "sent")
    assert len(post.mail.got) == 2


def test_two_ticks_at_once_and_two_workers_at_one_delivery_send_it_once(post: Post) -> None:
    post.bureau.ground.clock.moment = datetime.fromisoformat("2026-03-16T09:00+08:00")
    _at_once(4, lambda: remind(post.runtime))
    ids = [one.id for one in post.deliveries()]
    assert len(ids) == len({(one.notice_id, one.channel, one.recipient) for one in post.deliveries()}) == 7

    for delivery_id in ids:
        _at_once(3, lambda delivery_id=delivery_id: jobs.send_notice(delivery_id))  # type: ignore[misc]
    assert Counter(one.identity for one in [*post.mail.got, *post.webhook.got]).most_common(1)[0][1] == 1
    assert {state for *_, state in post.states()} == {"sent"}


def _at_once(count: int, act: Any) -> None:
    start, problems = threading.Barrier(count), list[Exception]()

    def run() -> None:
        start.wait()
        try:
            act()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_tick_without_the_lease_does_nothing(post: Post) -> None:
    post.bureau.ground.clock.moment = datetime.fromisoformat("2026-03-16T09:00+08:00")
    remind(post.runtime, lambda work: False)

    assert post.deliveries() == []


def test_the_clock_process_looks_every_ten_seconds_and_at_each_tick_of_a_clock_that_stands(post: Post) -> None:
    seconds, looked = [0.0], []
    passing = Reminder(replace(post.runtime, time_passes=lambda: True), lambda: seconds[-1])
    for moment in (0.0, 1.0, 9.9, 10.0, 15.0, 20.0):
        seconds.append(moment)
        looked.append(passing.look())
    assert looked == [True, False, False, True, False, True]

    assert [Reminder(post.runtime).look() for _ in range(2)] == [True, True]


KILLS = {"before the server has it": "EHLO", "after it was accepted": "MESSAGE"}


@ON_SQLITE_ALONE
@pytest.mark.parametrize("moment", KILLS)
def test_a_worker_killed_in_the_middle_loses_nothing_and_a_repeat_can_be_told(post: Post, moment: str) -> None:
    """Killed with SIGKILL at a real server: what it had accepted already comes once more, with the same Message-ID."""
    with mail_server.running(mail_server.Post(hangs={KILLS[moment]})) as server:
        ours = replace(post.runtime, channels={"mail": Mail(MailServer("127.0.0.1", server.port, "none", SENDER), StandingClock())})
        post.runtime = ours
        runtime.install(ours)
        post.bureau.ground.clock.moment = datetime.fromisoformat("2026-03-16T09:00+08:00")
        remind(ours)
        [first, *_] = [one.id for one in post.deliveries("mail")]
        _killed(post, server, first, KILLS[moment])
        server.hangs.clear()
        post.at("2026-03-16T09:00")
        assert [one.state for one in post.deliveries("mail") if one.id == first] == ["waiting"], "the try counts; its pause is kept"
        post.at("2026-03-16T09:01")

    identities = [mail["Message-ID"] for mail in server.mails]
    expected = 2 if moment == "after it was accepted" else 1
    assert identities.count(f"<{post.deliveries('mail')[0].public_id}@police.example>") == expected
    assert {one.state for one in post.deliveries("mail")} == {"sent"}


def _killed(post: Post, server: mail_server.Post, delivery_id: int, command: str) -> None:
    """Do the job in a process that is killed once the server has come to where it hangs."""
    post.bureau.ground.engine.dispose()
    reached = {"EHLO": lambda: "EHLO" in server.said, "MESSAGE": lambda: bool(server.mails)}[command]
    pid = os.fork()
    if pid == 0:
        try:
            jobs.send_notice(delivery_id)
        finally:
            os._exit(1)
    while not reached():
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the job has ended by itself"
        server.over.wait(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@ON_SQLITE_ALONE
def test_the_real_channels_carry_it_from_the_row_to_the_other_side(post: Post) -> None:
    with mail_server.running(mail_server.Post()) as server, hook_server.running(hook_server.Receiver()) as receiver:
        mail = Mail(MailServer("127.0.0.1", server.port, "none", SENDER), StandingClock())
        hook = Webhook(f"http://127.0.0.1:{receiver.port}/notices", "s" * 32, StandingClock())
        post.runtime = replace(post.runtime, channels={"mail": mail, "webhook": hook})
        runtime.install(post.runtime)
        post.at("2026-03-16T09:00")

    assert [to for _, to in server.envelopes] == [[OFFICE]] * 2
    assert "2026-0001" in server.mails[0].get_content()
    assert len(receiver.got) == 3
    assert {state for *_, state in post.states()} == {"sent"}


def test_the_name_of_a_list_cannot_leave_its_folder() -> None:
    assert notifying._plain("../../etc") == "~2e~2e~2f~2e~2e~2fetc"
    assert notifying._plain("U-01_a") == "U-01_a"
