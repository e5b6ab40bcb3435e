"""A web-hook of the bureau's own, to which notices are posted as signed JSON.

    POST <the configured URL>
    Content-Type: application/json
    Idempotency-Key: <identity of the delivery>
    Huifang-Time: <seconds since 1970>
    Huifang-Signature: v1=<hex of HMAC-SHA256(secret, time + "." + body)>

The key never changes for a delivery. Should the process die after the receiver's acceptance and before that is noted, the notice is
posted once more with the same key, by which the receiver can tell. Redirections are not followed, no proxy is asked: what is posted
goes to the configured host and nowhere else.
"""

import hashlib
import hmac
import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ivr.notices import trust
from ivr.notices.base import SECONDS, DeliveryFailed, Message
from survey.notice_problems import Problem
from survey.ports import Clock


@dataclass(frozen=True)
class Webhook:
    """The channel. `clock` tells the real time, by which the receiver judges how old a request is."""

    url: str
    secret: str = field(repr=False)
    clock: Clock
    authority: Path | None = None
    seconds: float = SECONDS

    def send(self, message: Message) -> None:
        """Post the message; any answer but 2xx is a refusal. Raises DeliveryFailed."""
        data = json.dumps(message.facts, ensure_ascii=False, sort_keys=True).encode()
        try:
            status = self._post(data, self._headers(message.identity, data))
        except ssl.SSLError as fault:
            raise DeliveryFailed(Problem("tls")) from fault
        except (TimeoutError, http.client.HTTPException) as fault:
            raise DeliveryFailed(Problem("no_answer")) from fault
        except OSError as fault:
            raise DeliveryFailed(Problem("refused")) from fault
        if not 200 <= status < 300:
            raise DeliveryFailed(Problem("http", status))

    def _headers(self, identity: str, data: bytes) -> dict[str, str]:
        moment = str(int(self.clock.now().timestamp()))
        return {
            "Content-Type": "application/json", "User-Agent": "huifang", "Idempotency-Key": identity, "Huifang-Time": moment,
            "Huifang-Signature": f"v1={signature(self.secret, moment, data)}", "Connection": "close",
        }  # fmt: skip

    def _post(self, data: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            secure = trust.context(self.authority)
            line: http.client.HTTPConnection = http.client.HTTPSConnection(host, parts.port, timeout=self.seconds, context=secure)
        else:
            line = http.client.HTTPConnection(host, parts.port, timeout=self.seconds)
        try:
            line.request("POST", parts.path or "/", data, headers)
            return line.getresponse().status
        finally:
            line.close()


def signature(secret: str, moment: str, data: bytes) -> str:
    """What the receiver must compute again, and compare in constant time: HMAC-SHA256 over time, a dot and the body, in hex."""
    return hmac.new(secret.encode(), moment.encode() + b"." + data, hashlib.sha256).hexdigest()
