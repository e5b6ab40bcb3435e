"""The carrier of a house that has none: refuses every call, so that a demonstration can never ring a real person."""

import ipaddress
from datetime import datetime
from urllib.parse import urlsplit

from ivr.carrier.base import CallRequest, CarrierCall, CarrierError, CarrierGone, Placement, Rejected

REASON = (
    "演示与测试环境不会真的拨出：HUIFANG_TWILIO_API_URL 须指向本机或内网的服务器，或以 HUIFANG_ENVIRONMENT=production 运行 / "
    "demo and test dial nobody outside: HUIFANG_TWILIO_API_URL must name a server of this machine or network, or set "
    "HUIFANG_ENVIRONMENT=production"
)
INNER = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def is_within(url: str) -> bool:
    """Whether the server of a carrier's API stands on this machine or in its own network: any other may place calls to real people.

    A name counts by itself, nobody is asked for its address: one word, as containers are called, or one of those kept for inner networks.
    """
    name = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(name).is_private  # 127.0.0.0/8 and ::1 are
    except ValueError:
        return name[:1].isalpha() and ("." not in name or name.endswith(INNER))


class NoCarrier:
    """Rejects calls in a way that halts the campaign with the reason, and knows of no call or recording."""

    def place_call(self, request: CallRequest) -> Placement:
        """Refuse."""
        return Rejected("credentials", "no_carrier", REASON)

    def hang_up(self, sid: str, *, ringing_only: bool = False) -> None:
        """Raise CarrierError: there is nothing to hang up."""
        raise CarrierError(REASON)

    def redirect(self, sid: str, url: str, limit_seconds: int | None = None) -> None:
        """Raise CarrierError: there is no call to be led on."""
        raise CarrierError(REASON)

    def hold(self, room: str, call_sid: str, on: bool, url: str) -> None:
        """Raise CarrierGone: there is no room."""
        raise CarrierGone(REASON)

    def mute(self, room: str, call_sid: str, on: bool) -> None:
        """Raise CarrierGone: there is no room."""
        raise CarrierGone(REASON)

    def fetch_call(self, sid: str) -> CarrierCall:
        """Raise CarrierGone."""
        raise CarrierGone(REASON)

    def find_calls(self, to: str, since: datetime) -> list[CarrierCall]:
        """No calls."""
        return []

    def fetch_recording(self, sid: str) -> bytes:
        """Raise CarrierGone."""
        raise CarrierGone(REASON)

    def delete_recording(self, sid: str) -> None:
        """Nothing to delete."""
