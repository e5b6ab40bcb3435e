"""E-mail over SMTP.

The Message-ID of a delivery never changes. Should the process die after the server's acceptance and before that is noted, the mail
goes out once more with the same Message-ID, by which mailboxes and people can tell it is the same.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from ivr.notices import trust
from ivr.notices.base import SECONDS, DeliveryFailed, Message
from survey.notice_problems import Problem
from survey.ports import Clock

READY, PERMANENT = 220, 500
POLICY = SMTP.clone(max_line_length=76, cte_type="7bit")


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `tls`: on from the first byte (tls), begun after the greeting (starttls), or none; `user` may be empty."""

    host: str
    port: int
    tls: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    authority: Path | None = None
    seconds: float = SECONDS


@dataclass(frozen=True)
class Mail:
    """The channel."""

    server: MailServer
    clock: Clock

    def send(self, message: Message) -> None:
        """Hand the mail in, in one connection of its own. Raises DeliveryFailed."""
        letter = self._letter(message)
        with _open(self.server) as session:
            session.sendmail(self.server.sender, [message.address], letter.as_bytes())

    def probe(self) -> None:
        """Connect and log in, and send nothing. Raises DeliveryFailed."""
        with _open(self.server) as session:
            session.noop()

    def _letter(self, message: Message) -> EmailMessage:
        """The mail. Raises ValueError where an address or the subject could add a header: none that was checked can."""
        letter = EmailMessage(policy=POLICY)
        letter["From"], letter["To"], letter["Subject"] = self.server.sender, message.address, message.subject
        letter["Date"] = format_datetime(self.clock.now())
        letter["Message-ID"] = f"<{message.identity}@{_domain(self.server)}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        return letter


def _domain(server: MailServer) -> str:
    return server.sender.partition("@")[2]


@contextmanager
def _open(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A session with the server, logged in where a user is set; every failure in it becomes DeliveryFailed."""
    try:
        session = _connect(server)
        try:
            yield session
        except BaseException:
            session.close()
            raise
        with suppress(smtplib.SMTPException, OSError):  # the mail is accepted, whatever becomes of the farewell
            session.quit()
    except (smtplib.SMTPException, OSError) as fault:
        raise _told(fault) from fault


def _connect(server: MailServer) -> smtplib.SMTP:
    name, context = _domain(server), trust.context(server.authority)
    if server.tls == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.seconds, context=context)
    else:
        session = smtplib.SMTP(server.host, server.port, name, timeout=server.seconds)
    try:
        if server.tls == "starttls":
            _begin_tls(session, context)
        if server.user:
            session.login(server.user, server.password)
    except BaseException:
        session.close()
        raise
    return session


def _begin_tls(session: smtplib.SMTP, context: ssl.SSLContext) -> None:
    """Nothing is said in the clear where TLS is asked for: a server that has none is refused."""
    try:
        code, _ = session.starttls(context=context)
    except smtplib.SMTPNotSupportedError as fault:
        raise DeliveryFailed(Problem("tls")) from fault
    if code != READY:
        raise DeliveryFailed(Problem("tls", code))


def _told(fault: Exception) -> DeliveryFailed:
    """The failure as one word of ours: the library's texts hold addresses."""
    match fault:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = min(code for code, _ in refused.values())
            return DeliveryFailed(Problem("recipient", code), is_final=code >= PERMANENT)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return DeliveryFailed(Problem("sender", code))
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return DeliveryFailed(Problem("login", code))
        case smtplib.SMTPNotSupportedError():
            return DeliveryFailed(Problem("login"))
        case smtplib.SMTPResponseException(smtp_code=code):
            return DeliveryFailed(Problem("server", code if code > 0 else None))
        case ssl.SSLError():
            return DeliveryFailed(Problem("tls"))
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return DeliveryFailed(Problem("no_answer"))
    return DeliveryFailed(Problem("refused"))
