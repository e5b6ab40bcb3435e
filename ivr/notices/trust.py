"""Whose certificates are believed: those of the machine, and those of the bureau's own authority where it has one."""

import ssl
from pathlib import Path

from ivr.notices.base import DeliveryFailed
from survey.notice_problems import Problem


def context(authority: Path | None) -> ssl.SSLContext:
    """A TLS context that checks host name and certificate, TLS 1.2 at least. Raises DeliveryFailed where `authority` is no certificate."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if authority is not None:
            made.load_verify_locations(authority)
    except OSError as fault:  # of which a file that is no certificate is one kind
        raise DeliveryFailed(Problem("tls")) from fault
    return made
