"""Web-hook signatures as the carrier makes them (twilio_voice §5)."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator


def signed_url(url: str) -> str:
    """The URL as it enters the signature: without fragment and credentials; voice over https drops the port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https":
        host = host.partition(":")[0]
    return parts._replace(netloc=host, fragment="").geturl()


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """The value of `X-Twilio-Signature` for a request to `url` with this form (empty for GET): HMAC-SHA1, Base64."""
    signature: str = _validator(auth_token).compute_signature(signed_url(url), form)
    return signature


@lru_cache(maxsize=8)
def _validator(auth_token: str) -> RequestValidator:
    return RequestValidator(auth_token)
