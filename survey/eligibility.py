"""Who is not called, and why: one reason per incident, by a fixed precedence (R4–R7).

The order of `Exclusion` is the precedence. Standing reasons lie in the incident itself and are stored by the
import; passing ones depend on the day of the draw.
"""

from collections.abc import Iterable
from enum import Enum


class Exclusion(Enum):
    """A reason to leave an incident out of the frame, with its words; earlier ones hide later ones."""

    CANCELLED = ("cancelled", "已撤销", "Cancelled")
    DUPLICATE = ("duplicate", "重复警情", "Duplicate incident")
    OFFICER_INITIATED = ("officer_initiated", "民警主动或系统生成", "Officer-initiated or machine-made")
    INVALID = ("invalid", "无效警情（骚扰、误报、无责任单位等）", "Invalid (nuisance, mistaken, no unit...)")
    NO_NUMBER = ("no_number", "未留电话", "No number left")
    BAD_NUMBER = ("bad_number", "号码不可拨", "Number cannot be dialled")
    EXCLUDED_CATEGORY = ("excluded_category", "敏感类别不回访", "Sensitive category")
    UNDER_AGE = ("under_age", "报警人未满18周岁", "Caller under 18")
    OPTED_OUT = ("opted_out", "本人拒绝再访", "Asked not to be called again")
    QUARANTINE = ("quarantine", "静默期内已访", "Called within the quarantine")
    DUPLICATE_NUMBER = ("duplicate_number", "同一号码另有警情入样框", "Same number already in the frame")

    word: str
    zh: str
    en: str

    def __new__(cls, word: str, zh: str, en: str) -> "Exclusion":
        """Its value is the word under which it is stored: `Exclusion("cancelled")`, ValueError for an unknown one."""
        member = object.__new__(cls)
        member._value_ = member.word = word
        member.zh, member.en = zh, en
        return member

    @classmethod
    def from_word(cls, word: str) -> "Exclusion":
        """The exclusion stored as `word`. Raises KeyError with the word when there is none."""
        return _BY_WORD[word]


_BY_WORD = {exclusion.word: exclusion for exclusion in Exclusion}
_RANK = {exclusion: rank for rank, exclusion in enumerate(Exclusion)}
PASSING = frozenset({Exclusion.OPTED_OUT, Exclusion.QUARANTINE, Exclusion.DUPLICATE_NUMBER})
STANDING = frozenset(Exclusion) - PASSING
ADULT_AT = 18

SENSITIVE = {
    "domestic_violence": ("家庭暴力", "Domestic violence"),
    "sexual_offence": ("性侵害", "Sexual offence"),
    "crime_against_minor": ("侵害未成年人", "Crime against a minor"),
    "child_abuse": ("虐待儿童", "Child abuse"),
    "suicide": ("自杀", "Suicide"),
    "mental_crisis": ("精神障碍", "Mental crisis"),
    "sudden_death": ("非正常死亡", "Sudden death"),
    "homicide": ("命案", "Homicide"),
    "fatal_accident": ("亡人事故", "Fatal accident"),
    "stalking": ("跟踪纠缠", "Stalking"),
    "missing_minor": ("未成年人走失", "Missing minor"),
    "informant": ("线人或受保护证人", "Informant or protected witness"),
    "secrecy": ("涉密或侦查中", "Secrecy or live investigation"),
    "suspect": ("报警人为嫌疑人", "Caller as suspect"),
}
"""Categories that are not called unless a mapping says so expressly (R5), matched by code, never by words in a text."""

ORDINARY = {
    "theft": ("盗窃", "Theft"),
    "burglary": ("入室盗窃", "Burglary"),
    "robbery": ("抢劫抢夺", "Robbery"),
    "fraud": ("诈骗", "Fraud"),
    "assault": ("殴打他人", "Assault"),
    "threat": ("恐吓滋扰", "Threats"),
    "dispute": ("纠纷", "Dispute"),
    "disorder": ("扰乱秩序", "Disorder"),
    "noise": ("噪声扰民", "Noise"),
    "damage": ("毁坏财物", "Damage to property"),
    "traffic_accident": ("交通事故", "Traffic accident"),
    "traffic": ("交通警情", "Traffic"),
    "parking": ("违停挪车", "Parking"),
    "help": ("群众求助", "Request for help"),
    "lost_property": ("遗失财物", "Lost property"),
    "missing_person": ("走失", "Missing person"),
    "gambling_vice": ("赌博卖淫", "Gambling or vice"),
    "drugs": ("涉毒", "Drugs"),
    "weapons": ("涉枪涉爆", "Weapons"),
    "suspicious": ("可疑情况", "Suspicious circumstances"),
    "fire_hazard": ("火灾险情", "Fire or hazard"),
    "animal": ("动物", "Animal"),
    "complaint": ("投诉举报", "Complaint or report"),
    "alarm": ("报警器", "Alarm"),
    "other": ("其他", "Other"),
    "officer": ("警务活动", "Police activity"),
    "none": ("无", "None"),
}


def first(reasons: Iterable[Exclusion]) -> Exclusion | None:
    """The one reason that counts among several: the earliest in the order of `Exclusion`; None when there is none."""
    return min(reasons, key=_RANK.__getitem__, default=None)


def by_category(category: str) -> Exclusion | None:
    """EXCLUDED_CATEGORY for a sensitive category's word, None for any other."""
    return Exclusion.EXCLUDED_CATEGORY if category in SENSITIVE else None


def category_words(category: str) -> tuple[str, str]:
    """The category in Chinese and English; an unknown word stands for itself."""
    return SENSITIVE.get(category) or ORDINARY.get(category) or (category, category)
