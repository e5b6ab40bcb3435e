"""Telephone numbers: what people type -> E.164, or a refusal that says what is wrong and what to do.

Only numbers that an ordinary person can own pass: a region of the policy, mobile or fixed line. Emergency
lines, service numbers and the bureau's own lines never do, whatever the data say (R7).
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from survey.errors import BadInput

EMERGENCY = frozenset({"110", "119", "120", "122", "911", "112", "999", "12110", "12395"})
_ALLOWED_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_COSTLY_TYPES = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE, PhoneNumberType.UAN}
_MADE_UP_CN = re.compile(r"\+86100\d{8}")
_MADE_UP_NANP = re.compile(r"\+1([2-9]\d\d)55501\d\d")
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE][+-]?\d+")
_EXTENSION = re.compile(r"(;ext=|ext\.?|分机|转|x|#|,|,)\s*\d+\s*$", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"\d{7,}\s*[/、;,;,\s]\s*\+?\d{7,}")
_SHORTEST_SUBSCRIBER = 7
_LONGEST_TEXT = 64


class Problem(Enum):
    """Why a number is refused, with what to do about it, in Chinese and English."""

    MISSING = ("没有号码", "no number", "补录报警人电话后重新导入", "add the caller's number and import again")
    SCIENTIFIC = (
        "Excel 已截断为科学计数，后几位已丢失", "cut short by the spreadsheet to scientific notation; its last digits are lost",
        "请把该列设为文本后重新导出", "set the column to text and export again",
    )  # fmt: skip
    SEVERAL = ("一格里有多个号码", "several numbers in one cell", "每格只留一个号码", "leave one number in the cell")
    EXTENSION = ("带分机号，自动外呼无法拨分机", "has an extension, which an automatic call cannot dial",
                 "改填直线或手机号码", "give a direct line or a mobile number")  # fmt: skip
    EMERGENCY = ("紧急或公务短号，绝不外呼", "an emergency or service short number, never dialled",
                 "改填报警人本人的号码", "give the caller's own number")  # fmt: skip
    OWN = ("本单位自己的号码", "a number of the bureau itself", "改填报警人本人的号码", "give the caller's own number")
    NOT_A_NUMBER = ("不是电话号码", "not a telephone number", "改填电话号码", "write a telephone number")
    IMPOSSIBLE = ("号码不存在：位数或号段不对", "no such number: wrong length or range",
                  "核对位数；固定电话须带区号", "check the digits; a landline needs its area code")  # fmt: skip
    SERVICE = ("400、付费或服务类号码", "a shared-cost, premium or service number", "改填报警人本人的号码", "give the caller's own number")
    REGION = (
        "不在允许外呼的地区",
        "outside the regions that may be called",
        "核对号码，或请管理员增加地区",
        "check it, or have the region allowed",
    )
    KIND = ("不是手机或固定电话（如卫星电话、网络电话）", "neither mobile nor landline (satellite, internet telephone...)",
            "改填手机或固定电话", "give a mobile number or a landline")  # fmt: skip
    FICTITIOUS = ("虚构号段，生产环境不接受", "from a fictitious range, which production does not accept",
                  "改填真实号码", "give a real number")  # fmt: skip

    def __init__(self, zh: str, en: str, remedy_zh: str, remedy_en: str) -> None:
        self.zh, self.en, self.remedy_zh, self.remedy_en = zh, en, remedy_zh, remedy_en


class NumberRefused(BadInput):
    """A number cannot be used. The message never holds the number itself."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.zh} / {problem.en}")
        self.problem = problem


@dataclass(frozen=True)
class NumberPolicy:
    """Which numbers may be called: `regions` as ISO 3166 codes (the first is where bare numbers belong),
    `own_numbers` in E.164 or as short codes, and whether `fictitious` ones are let in (demo and test only)."""

    regions: tuple[str, ...] = ("CN",)
    own_numbers: tuple[str, ...] = ()
    fictitious: bool = False


def parse(text: str, policy: NumberPolicy) -> str:
    """The number in E.164, e.g. `+8613800138000`. Full-width digits, spaces, dashes, +86 and 0086 are understood.

    Raises NumberRefused.
    """
    plain = _plain(text)
    problem = _at_first_sight(plain, policy)
    if problem:
        raise NumberRefused(problem)
    try:
        number = phonenumbers.parse(plain, policy.regions[0])
    except phonenumbers.NumberParseException:
        raise NumberRefused(Problem.NOT_A_NUMBER) from None
    problem = _on_inspection(number, policy)
    if problem:
        raise NumberRefused(problem)
    return _e164(number)


def check(e164: str, policy: NumberPolicy) -> Problem | None:
    """What forbids dialling a stored number, or None: asked again before every call (RS20)."""
    try:
        return None if parse(e164, policy) == e164 else Problem.IMPOSSIBLE
    except NumberRefused as refused:
        return refused.problem


def is_fictitious(e164: str) -> bool:
    """Whether the number lies in a range that belongs to nobody: +86 100 and eight digits (not allotted), NANP 555-01xx."""
    if _MADE_UP_CN.fullmatch(e164):
        return True
    match = _MADE_UP_NANP.fullmatch(e164)
    return match is not None and is_geographic(match[1])


def is_geographic(area_code: str) -> bool:
    """Whether a North American area code can be a place: codes ending in a double digit (800, 900, 911...) are services."""
    return area_code[1] != area_code[2] and area_code[1] != "9"


def mask(e164: str | None) -> str:
    """The number as shown to people: its last four digits; a number too short to hide anything shows none."""
    if not e164:
        return ""
    return "****" if len(e164) < 8 else "*" * (len(e164) - 4) + e164[-4:]


def area_codes(region: str = "US") -> tuple[str, ...]:
    """The geographic North American area codes of a region, ascending, in which 555-01xx can be fictitious numbers."""
    return tuple(str(area) for area in range(200, 990) if is_geographic(str(area)) and _area_is_in(area, region))


def _area_is_in(area: int, region: str) -> bool:
    number = phonenumbers.parse(f"+1{area}5550100")
    return phonenumbers.is_valid_number_for_region(number, region)


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip().strip("'\"").strip()
    narrow = unicodedata.normalize("NFKC", text)
    visible = "".join(" " if unicodedata.category(c) == "Zs" else c for c in narrow if unicodedata.category(c) not in ("Cc", "Cf"))
    return visible.strip().strip("'\"").strip()


def _at_first_sight(plain: str, policy: NumberPolicy) -> Problem | None:
    if not plain:
        return Problem.MISSING
    if len(plain) > _LONGEST_TEXT:
        return Problem.NOT_A_NUMBER
    if _SCIENTIFIC.fullmatch(plain):
        return Problem.SCIENTIFIC
    if _TWO_NUMBERS.search(plain):
        return Problem.SEVERAL
    if _EXTENSION.search(plain):
        return Problem.EXTENSION
    digits = re.sub(r"\D", "", plain)
    if digits in EMERGENCY:
        return Problem.EMERGENCY
    if digits and digits in {re.sub(r"\D", "", own) for own in policy.own_numbers}:
        return Problem.OWN
    return None


def _on_inspection(number: PhoneNumber, policy: NumberPolicy) -> Problem | None:
    e164 = _e164(number)
    if number.extension:
        return Problem.EXTENSION
    if _subscriber(number) in EMERGENCY:
        return Problem.EMERGENCY
    if e164 in _own_numbers(policy):
        return Problem.OWN
    if is_fictitious(e164):
        return None if policy.fictitious else Problem.FICTITIOUS
    return _by_numbering_plan(number, policy)


def _by_numbering_plan(number: PhoneNumber, policy: NumberPolicy) -> Problem | None:
    kind = phonenumbers.number_type(number)
    if kind in _COSTLY_TYPES:
        return Problem.SERVICE
    if not phonenumbers.is_valid_number(number):
        return Problem.IMPOSSIBLE
    if phonenumbers.region_code_for_number(number) not in policy.regions:
        return Problem.REGION
    if kind not in _ALLOWED_TYPES:
        return Problem.KIND
    # The plan lets carriers' service numbers (10086) stand behind an area code; nobody lives there.
    return Problem.SERVICE if len(_subscriber(number)) < _SHORTEST_SUBSCRIBER else None


def _subscriber(number: PhoneNumber) -> str:
    national = phonenumbers.national_significant_number(number)
    return national[phonenumbers.length_of_geographical_area_code(number) :]


def _own_numbers(policy: NumberPolicy) -> set[str]:
    own = set()
    for text in policy.own_numbers:
        try:
            own.add(_e164(phonenumbers.parse(text, policy.regions[0])))
        except phonenumbers.NumberParseException:
            continue  # a short code: compared as it stands
    return own


def _e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
