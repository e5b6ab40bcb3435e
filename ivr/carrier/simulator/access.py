"""Who may use the API: the account's token or one of its keys; the control routes only from this machine."""

import hmac
import ipaddress

from werkzeug.datastructures import Authorization

from ivr.carrier.simulator.exchange import Account
from ivr.carrier.simulator.ordering import Refused


def check(account: Account, sid_in_path: str, authorization: Authorization | None) -> None:
    """Pass or raise Refused: 401/20003 for wrong credentials, 404/20404 for another account's path."""
    name, secret = (authorization.username or "", authorization.password or "") if authorization else ("", "")
    expected = account.auth_token if name == account.sid else account.keys.get(name)
    if expected is None or not hmac.compare_digest(expected.encode(), secret.encode()):
        raise Refused(401, 20003, "Authenticate")
    if sid_in_path != account.sid:
        raise Refused(404, 20404, f"The requested resource /2010-04-01/Accounts/{sid_in_path} was not found")


def from_this_machine(address: str | None) -> bool:
    """Whether a peer's address is a loopback one."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
