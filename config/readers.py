"""How the text of one setting becomes its value. Every reader raises ValueError with one sentence, Chinese / English."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from survey.accounts import ROLES
from survey.accounts.emails import is_email
from survey.errors import BadInput
from survey.store.sealing import KeyRing

Reader = Callable[[str], Any]
LONGEST_NAME = 64


def text(value: str) -> str:
    """Any text on one line."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("不能含控制字符或换行 / must be one line without control characters")
    return value


def name(value: str) -> str:
    """A text that is not empty and not longer than LONGEST_NAME characters."""
    if not 1 <= len(text(value).strip()) <= LONGEST_NAME:
        raise ValueError(f"须为 1–{LONGEST_NAME} 个字符 / must have 1 to {LONGEST_NAME} characters")
    return value.strip()


def path(value: str) -> Path | None:
    """A path; empty means none."""
    return Path(text(value)) if value else None


def one_of(*words: str) -> Reader:
    """A reader that accepts exactly these words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"只能是 {'、'.join(words)} / must be one of {', '.join(words)}")
        return value

    return read


def whole(lowest: int, highest: int) -> Reader:
    """A reader of whole numbers in a closed range."""

    def read(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", value) or not lowest <= int(value) <= highest:
            raise ValueError(f"须为 {lowest}–{highest} 的整数 / must be a whole number from {lowest} to {highest}")
        return int(value)

    return read


def none_or_whole(lowest: int, highest: int) -> Reader:
    """A reader of whole numbers in a closed range, or 0."""
    within = whole(lowest, highest)

    def read(value: str) -> int:
        return 0 if value == "0" else int(within(value))

    return read


def number(lowest: float, highest: float) -> Reader:
    """A reader of decimal numbers in a closed range."""

    def read(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) or not lowest <= float(value) <= highest:
            raise ValueError(f"须为 {lowest:g}–{highest:g} 的数 / must be a number from {lowest:g} to {highest:g}")
        return float(value)

    return read


def yes_no(value: str) -> bool:
    """`yes` or `no`."""
    if value not in ("yes", "no"):
        raise ValueError("只能是 yes 或 no / must be yes or no")
    return value == "yes"


def url(*schemes: str) -> Reader:
    """A reader of absolute URLs with one of the schemes, as a carrier accepts them; empty stays empty.

    ASCII without blanks, no user or password, no query, fragment or closing slash, and a host by the rules for host names
    (no underscore): a carrier refuses others only when the first call is placed, or signs another URL than we know.
    """

    def read(value: str) -> str:
        if value and (problem := _url_problem(value, schemes)):
            raise ValueError(problem)
        return value

    return read


def _url_problem(value: str, schemes: Sequence[str]) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not re.fullmatch(r"[!-~]+", value) or "?" in value or "#" in value or value.endswith("/"):
        shapes = ", ".join(f"{scheme}://…" for scheme in schemes)
        return (
            f"须为 {shapes} 形式的完整地址，只含 ASCII 字符，不带参数，末尾不带斜杠 / "
            f"must be a whole URL ({shapes}) in ASCII, without query, fragment or closing slash"
        )
    if "@" in parts.netloc:
        return "不能含用户名或密码 / must not hold a user name or a password"
    if not re.fullmatch(r"\[[0-9A-Fa-f:.]+\](:[0-9]+)?|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?", parts.netloc):
        return "主机名只能含字母、数字、点和连字符 / the host may hold letters, digits, dots and dashes only, no underscore"
    return ""


def host(value: str) -> str:
    """A host's name or address, without scheme or port; empty stays empty."""
    if value and not re.fullmatch(r"[0-9A-Fa-f:]+:[0-9A-Fa-f:.]*|[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", value):
        raise ValueError(
            "须为主机名或 IP 地址，不带端口，如 mail.example.org / must be a host without scheme or port such as mail.example.org"
        )
    return value


def email(value: str) -> str:
    """An e-mail address; empty stays empty."""
    if value and not is_email(value):
        raise ValueError("须为邮箱地址，如 huifang@example.org / must be an e-mail address such as huifang@example.org")
    return value


def database_url(value: str) -> str:
    """A database URL of SQLite or PostgreSQL; `postgresql://` means the psycopg driver; empty stays empty."""
    if value and not re.match(r"(sqlite|postgresql|postgresql\+psycopg)://", value):
        raise ValueError("只支持 sqlite:// 与 postgresql:// / must begin with sqlite:// or postgresql://")
    return re.sub(r"^postgresql://", "postgresql+psycopg://", value)


def redis_url(value: str) -> str:
    """A Redis URL by TCP, TLS or unix socket; empty stays empty."""
    if value and not re.match(r"(redis|rediss|unix)://\S+", value):
        raise ValueError("须以 redis://、rediss:// 或 unix:// 开头 / must begin with redis://, rediss:// or unix://")
    return value


def e164(value: str) -> str:
    """A telephone number in E.164 form; empty stays empty."""
    if value and not re.fullmatch(r"\+[1-9][0-9]{6,14}", value):
        raise ValueError("须为 E.164 号码，如 +861055550100 / must be a number in E.164 form such as +861055550100")
    return value


def short_number(value: str) -> str:
    """A number as it is dialled within the country: 2 to 15 digits."""
    if not re.fullmatch(r"[0-9]{2,15}", value):
        raise ValueError("须为 2–15 位数字，如 110 / must be 2 to 15 digits such as 110")
    return value


def account_sid(value: str) -> str:
    """`AC` and 32 hexadecimal digits; empty stays empty."""
    if value and not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValueError("须为 AC 加 32 位十六进制 / must be AC and 32 hexadecimal digits")
    return value


def hours(value: str) -> tuple[time, time]:
    """Opening and closing on one day, HH:MM-HH:MM, the second later than the first."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", value)
    if found:
        opening, closing = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if opening < closing:
            return opening, closing
    raise ValueError("须为 08:30-18:00 的形式，后者较晚 / must look like 08:30-18:00, the second later than the first")


def zone(value: str) -> str:
    """The IANA name of a time zone that this machine knows."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("不是 IANA 时区名，如 Asia/Shanghai / is not an IANA time zone such as Asia/Shanghai") from None
    return value


def regions(value: str) -> Sequence[str]:
    """Two-letter countries, comma-separated, as a tuple; the first one is assumed where a number names none."""
    words = tuple(word.strip() for word in value.split(","))
    if not all(re.fullmatch(r"[A-Z]{2}", word) for word in words):
        raise ValueError("须为两位大写国家代码，如 CN 或 CN,HK / must be two-letter countries such as CN or CN,HK")
    return words


def roles(value: str) -> Sequence[str]:
    """Roles of the console, comma-separated, as a tuple; empty means none."""
    words = tuple(word.strip() for word in value.split(",")) if value else ()
    if not all(word in ROLES for word in words):
        raise ValueError(f"只能是 {'、'.join(ROLES)} / must be some of {', '.join(ROLES)}")
    return words


def backup_key(value: str) -> str:
    """A key of 32 bytes in base64; empty stays empty."""
    try:
        right = not value or len(base64.b64decode(value, validate=True)) == 32
    except ValueError:
        right = False
    if not right:
        raise ValueError("须为 32 字节的 base64 / must be 32 bytes in base64")
    return value


def keys(value: str) -> str:
    """A key ring as `survey.store.sealing.KeyRing.parse` reads it; empty stays empty."""
    if not value:
        return value
    try:
        KeyRing.parse(value)
    except BadInput as error:
        raise ValueError(f"须为 index:<32 字节 base64>,k1:<32 字节 base64> / {error}") from None
    return value
