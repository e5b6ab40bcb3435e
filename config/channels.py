"""The ways by which notices leave the house, as the settings describe them."""

from config.clock import SystemClock
from config.settings import Settings
from ivr.notices.base import Channel
from ivr.notices.mail import Mail, MailServer
from ivr.notices.webhook import Webhook


def mail(given: Settings) -> Mail | None:
    """E-mail, where a server is named. The mails bear the real time, also in a demonstration."""
    if not given.mail_host:
        return None
    login = (given.mail_user, given.mail_password)
    return Mail(MailServer(given.mail_host, given.mail_port, given.mail_tls, given.mail_sender, *login, given.notice_ca), SystemClock())


def webhook(given: Settings) -> Webhook | None:
    """The web-hook, where its URL is named."""
    return Webhook(given.notice_url, given.notice_secret, SystemClock(), given.notice_ca) if given.notice_url else None


def channels(given: Settings) -> dict[str, Channel]:
    """All that are set up, by name."""
    found: dict[str, Channel | None] = {"mail": mail(given), "webhook": webhook(given)}
    return {name: channel for name, channel in found.items() if channel is not None}
