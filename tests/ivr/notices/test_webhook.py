"""The web-hook against a real receiver on this machine: what arrives, how it is signed, and what is said of each fault."""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr.notices.base import DeliveryFailed, Message
from ivr.notices.webhook import Webhook
from tests import certificates
from tests.conftest import StandingClock
from tests.hook_server import Receiver, running

SECRET = "a secret of thirty-two characters"
IDENTITY = "7" * 32
MESSAGE = Message(IDENTITY, "", "", "", {"kind": "overdue", "text": {"zh": "交办单 2026-0001 已逾期"}})


def channel(receiver: Receiver, scheme: str = "http", seconds: float = 5.0, authority: Path | None = None) -> Webhook:
    return Webhook(f"{scheme}://127.0.0.1:{receiver.port}/notices", SECRET, StandingClock(), authority, seconds)


def failure(call: Callable[[], None]) -> str:
    with pytest.raises(DeliveryFailed) as caught:
        call()
    return str(caught.value.problem)


def test_a_notice_arrives_signed_over_time_and_body() -> None:
    with running(Receiver()) as receiver:
        channel(receiver).send(MESSAGE)
        channel(receiver).send(MESSAGE)

    path, headers, body = receiver.got[0]
    expected = hmac.new(SECRET.encode(), f"{headers['Huifang-Time']}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Huifang-Signature"] == f"v1={expected}"
    assert headers["Huifang-Time"] == str(int(StandingClock().now().timestamp()))
    assert (path, headers["Content-Type"], json.loads(body)) == ("/notices", "application/json", MESSAGE.facts)
    assert {got[1]["Idempotency-Key"] for got in receiver.got} == {IDENTITY}


@pytest.mark.parametrize("status", [301, 307, 308, 400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_a_refusal_and_redirections_are_not_followed(status: int) -> None:
    with running(Receiver()) as elsewhere, running(Receiver(status=status)) as receiver:
        receiver.headers["Location"] = f"http://127.0.0.1:{elsewhere.port}/"
        assert failure(lambda: channel(receiver).send(MESSAGE)) == f"http {status}"

    assert len(receiver.got) == 1
    assert elsewhere.got == []


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Receiver()) as proxy, running(Receiver()) as receiver:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        channel(receiver).send(MESSAGE)

    assert (len(receiver.got), proxy.got) == (1, [])


def test_by_https_with_the_bureaus_own_authority_and_with_no_other(tmp_path: Path) -> None:
    certificate, other = certificates.make(tmp_path), certificates.make(tmp_path, "hooks.other.example")
    with running(Receiver(), certificate.server()) as receiver, running(Receiver(), other.server()) as wrong:
        channel(receiver, "https", authority=certificate.authority).send(MESSAGE)
        assert failure(lambda: channel(receiver, "https").send(MESSAGE)) == "tls"
        assert failure(lambda: channel(wrong, "https", authority=other.authority).send(MESSAGE)) == "tls"
        assert failure(lambda: channel(receiver, "https", authority=tmp_path / "nowhere.pem").send(MESSAGE)) == "tls"

    assert (len(receiver.got), wrong.got) == (1, [])


def test_a_receiver_that_falls_silent_or_cuts_the_line() -> None:
    with running(Receiver(hangs=True)) as silent, running(Receiver(drops=True)) as cut:
        assert failure(lambda: channel(silent, seconds=0.3).send(MESSAGE)) == "no_answer"
        assert failure(lambda: channel(cut).send(MESSAGE)) == "no_answer"


def test_nobody_listens_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert failure(lambda: channel(Receiver(port=taken.getsockname()[1])).send(MESSAGE)) == "refused"


def test_the_secret_does_not_show() -> None:
    assert SECRET not in repr(channel(Receiver()))
