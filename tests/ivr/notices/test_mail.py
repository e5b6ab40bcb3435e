"""E-mail over SMTP against a real server on this machine: what arrives, and what is said of each fault."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.notices.base import DeliveryFailed, Message
from ivr.notices.mail import Mail, MailServer
from tests import certificates
from tests.conftest import StandingClock
from tests.mail_server import PASSWORD, USER, Post, running

IDENTITY = "5" * 32
MESSAGE = Message(
    IDENTITY, "chengdong@example.org", "[临江市公安局] 交办单已逾期 / An order is overdue", "请办理\n\nplease see to it\n", {}
)
SECONDS = 5.0


def channel(post: Post, **changes: object) -> Mail:
    server = MailServer("127.0.0.1", post.port, post.tls or "none", "huifang@police.example", seconds=SECONDS)
    return Mail(replace(server, **changes), StandingClock())  # type: ignore[arg-type]


def failure(call: Callable[[], None]) -> tuple[str, bool]:
    with pytest.raises(DeliveryFailed) as caught:
        call()
    return str(caught.value.problem), caught.value.is_final


def test_a_mail_arrives_whole_with_an_identity_that_never_changes() -> None:
    with running(Post()) as post:
        channel(post).send(MESSAGE)
        channel(post).send(MESSAGE)

    assert post.envelopes == [("huifang@police.example", ["chengdong@example.org"])] * 2
    mail = post.mails[0]
    assert mail["Subject"] == MESSAGE.subject
    assert mail.get_content().splitlines() == MESSAGE.text.splitlines()
    assert (mail["To"], mail["From"]) == ("chengdong@example.org", "huifang@police.example")
    assert {one["Message-ID"] for one in post.mails} == {f"<{IDENTITY}@police.example>"}
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Tue, 10 Mar 2026 02:00:00 +0000"
    assert post.raw[0].isascii(), "an old mail server takes it as well"
    assert max(len(line) for line in post.raw[0].split(b"\r\n")) <= 78


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_by_tls_with_a_log_in(tls: str, tmp_path: Path) -> None:
    certificate = certificates.make(tmp_path)
    with running(Post(tls=tls, context=certificate.server(), wants_login=True)) as post:
        channel(post, user=USER, password=PASSWORD, authority=certificate.authority).send(MESSAGE)
        wrong = failure(lambda: channel(post, user=USER, password="guessed", authority=certificate.authority).send(MESSAGE))

    assert len(post.mails) == 1
    assert wrong == ("login 535", False)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another host", "no certificate at all"])
def test_a_certificate_that_cannot_be_trusted_gets_nothing_to_read(tls: str, fault: str, tmp_path: Path) -> None:
    certificate = certificates.make(tmp_path, "mail.other.example" if fault == "another host" else "127.0.0.1")
    (tmp_path / "empty.pem").write_text("nothing")
    authority = {"unknown authority": None, "another host": certificate.authority, "no certificate at all": tmp_path / "empty.pem"}
    with running(Post(tls=tls, context=certificate.server(), wants_login=True)) as post:
        found = failure(lambda: channel(post, user=USER, password=PASSWORD, authority=authority[fault]).send(MESSAGE))

    assert found == ("tls", False)
    assert "AUTH" not in post.said
    assert post.mails == []


def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for() -> None:
    with running(Post(wants_login=True)) as post:
        assert failure(lambda: channel(post, tls="starttls", user=USER, password=PASSWORD).send(MESSAGE)) == ("tls", False)
        assert failure(lambda: channel(post, tls="tls", user=USER, password=PASSWORD).send(MESSAGE)) == ("tls", False)

    assert "AUTH" not in post.said


FAULTS: dict[str, tuple[dict[str, bytes], str, bool]] = {
    "busy": ({"GREETING": b"421 too many"}, "server 421", False),
    "greylisted": ({"RCPT": b"450 come again"}, "recipient 450", False),
    "no such mailbox": ({"RCPT": b"550 <chengdong@example.org> unknown"}, "recipient 550", True),
    "sender refused": ({"MAIL": b"553 not allowed"}, "sender 553", False),
    "too large": ({"MESSAGE": b"552 too large"}, "server 552", False),
    "disk full": ({"MESSAGE": b"452 no room"}, "server 452", False),
    "talks nonsense": ({"GREETING": b"HTTP/1.1 400 Bad Request"}, "server", False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_refusal_is_told_in_one_word_with_the_servers_code_and_no_address(fault: str) -> None:
    answers, problem, is_final = FAULTS[fault]
    with running(Post(answers=answers)) as post, pytest.raises(DeliveryFailed) as caught:
        channel(post).send(MESSAGE)

    assert (str(caught.value.problem), caught.value.is_final) == (problem, is_final)
    assert "example.org" not in str(caught.value)
    assert post.mails == []


@pytest.mark.parametrize("at", ["GREETING", "EHLO", "RCPT", "MESSAGE"])
def test_a_server_that_falls_silent_is_waited_for_no_longer_than_set(at: str) -> None:
    with running(Post(hangs={at})) as post:
        assert failure(lambda: channel(post, seconds=0.3).send(MESSAGE)) == ("no_answer", False)


@pytest.mark.parametrize("at", ["GREETING", "MAIL", "MESSAGE"])
def test_a_line_that_is_cut_counts_as_no_answer(at: str) -> None:
    with running(Post(drops={at})) as post:
        assert failure(lambda: channel(post).send(MESSAGE)) == ("no_answer", False)


def test_what_was_accepted_stays_so_whatever_becomes_of_the_farewell() -> None:
    with running(Post(drops={"QUIT"})) as post:
        channel(post).send(MESSAGE)

    assert len(post.mails) == 1


def test_nobody_listens_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert failure(lambda: channel(Post(port=taken.getsockname()[1])).send(MESSAGE)) == ("refused", False)


@pytest.mark.parametrize("changes", [{"subject": "a\nBcc: x@example.org"}, {"address": "a@example.org\r\nBcc: x@example.org"}])
def test_no_header_can_be_smuggled_in(changes: dict[str, str]) -> None:
    with running(Post()) as post, pytest.raises(ValueError, match=r"(?i)newline|linefeed|invalid"):
        channel(post).send(replace(MESSAGE, **changes))

    assert post.said == [], "the mail is made before anybody is spoken to"


def test_a_probe_logs_in_and_sends_nothing() -> None:
    with running(Post(wants_login=True)) as post:
        channel(post, user=USER, password=PASSWORD).probe()

    assert post.said == ["EHLO", "AUTH", "NOOP", "QUIT"]


def test_the_password_does_not_show() -> None:
    assert PASSWORD not in repr(channel(Post(), password=PASSWORD))
