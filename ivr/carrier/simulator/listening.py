"""What a person understands of what the telephone says: which question it is, and which keys it offers. Chinese and English."""

import re

QUESTIONS: dict[str, re.Pattern[str]] = {
    item: re.compile("|".join(patterns), re.IGNORECASE)
    for item, patterns in {
        "right_person": (
            r"本人|是您报的|是不是您", r"the person who",
            r"did you (?:yourself )?(?:make|report|call)|(?:was it|that was|were|are) (?:you|me)\b",
            r"you called the police",
        ),
        "speed": (r"速度|多快|快慢", r"\bspeed|how (?:quickly|fast|soon)"),
        "attitude": (r"态度", r"\battitude|\bmanner\b|courte(?:sy|ous)|polite|treated you"),
        "outcome": (r"结果|处置情况", r"\boutcome|\bresults?\b|way (?:it|your case|the matter) was (?:handled|dealt)"),
        "equipment": (r"装备", r"\bequip(?:ment|ped)"),
        "appearance": (r"警容|着装|形象|风纪|仪表|仪容|举止", r"\bappearance|\buniform|\bdress(?:ed)?\b|\bbearing\b"),
        "reason": (
            r"哪里不满意|哪些地方不满意|什么(?:地方)?不满意|不满意的(?:原因|地方)", r"why (?:you )?(?:were|are|you)|the reason|your reason",
            r"what (?:were you|you were|went|was) (?:dissatisfied|unhappy|wrong|not)|dissatisfied with", r"still wrong",
        ),
        "put_right": (r"解决了吗|问题已经解决|已经解决", r"been put right"),
        "satisfied_now": (r"现在满意|现在感到满意", r"satisfied now"),
        "consent": (r"是否同意|同不同意|同意.{0,12}联系", r"(?:agree|consent|allow|may|happy for|want) .{0,60}\bcontact"),
        "discipline": (r"违纪|纪律|廉洁|收受|吃拿卡要|刁难|打骂", r"bribe|misconduct|discipline|money|abus(?:e|ive)|violence"),
        "interference": (r"打招呼|要求您给|给好评|事先", r"beforehand|in advance|good rating|told you (?:how|what) to|pressure"),
        "remark": (r"意见|建议|隐患", r"\bsuggest|anything else|\bcomments?\b|\bremarks?\b"),
        "operator": (r"(?:转接|和)值班员.{0,4}请按", r"talk to (?:the|an) (?:officer|operator), press"),
    }.items()
}  # fmt: skip

_COMMAS, _STOPS = ",\uff0c", ".;\u3002\uff1b\uff1a"
_KEY = r"\s*(?:请)?按\s*(?P<key>[0-9*#]|星号|井号)"
_PRESS = r"press\s+(?:the\s+)?(?P<{name}>[0-9*#]|star|pound|hash|zero|one|two|three|four|five|six|seven|eight|nine)\b"
_WORDS = {"星号": "*", "井号": "#", "star": "*", "pound": "#", "hash": "#"} | {
    word: str(number) for number, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
}
CONCEPTS: dict[str, tuple[str, str]] = {
    "no": (
        r"不是|不对|不同意|没有|不涉及|不要联系|不想说|不满意",
        r"\bno\b|\bif not\b|not you|someone else|nobody|you (?:did not|do not|don't|didn't)|nothing|rather not|not satisfied",
    ),
    "later": (r"不方便|改天|稍后|晚点", r"\bnot now\b|later|another time|bad time|not (?:a )?(?:good|convenient)"),
    "now": (r"现在(?:接受|开始|做)", r"right now|survey now"),
    "never": (
        r"不再接听|不再接到|不希望(?:再)?接到|不要再打|不再联系|不再来电",
        r"never|no (?:more|further)(?: such)? calls|stop (?:these )?calls",
    ),
    "human": (r"人工|转接|工作人员", r"operator|a person|human|officer|member of staff"),
    "operator": (r"(?<!不用)转接值班员|和值班员通话", r"talk to (?:the|an) (?:officer|operator)"),
    "take": (r"接听", r"take the call"),
    "back": (r"上一题|返回|更改", r"go back|previous"),
    "repeat": (r"重复|再听|重听", r"repeat|hear .{0,12}again"),
    "speak": (r"有意见|有建议|要留言|留言|有的话|想说", r"leave (?:a|your) (?:message|comment|remark)|to (?:speak|comment)"),
}  # fmt: skip
_OFFERS = {
    concept: (
        re.compile(rf"(?:{chinese})[^0-9{_STOPS}{_COMMAS}按]{{0,12}}[{_COMMAS}]?{_KEY}"),
        re.compile(rf"(?:{english})[^.;0-9]{{0,30}}?\b{_PRESS.format(name='key')}", re.IGNORECASE),
        re.compile(rf"{_PRESS.format(name='key')}[^.;,0-9]{{0,25}}?(?:{english})", re.IGNORECASE),
    )
    for concept, (chinese, english) in CONCEPTS.items()
}


_ECHO = re.compile(r"我听到的是\s*[“\"](?P<zh>[^”\"]+)|I heard\s*[“\"](?P<en>[^”\"]+)", re.IGNORECASE)
_DENIAL = re.compile(r"不|没|\bno\b|\bnot\b|nobody", re.IGNORECASE)


def echo_in(heard: str) -> str | None:
    """What the telephone believes to have heard, when it asks whether that is right."""
    match = _ECHO.search(heard)
    return (match["zh"] or match["en"]) if match else None


def is_denial(words: str) -> bool:
    """Whether an answer to a yes-or-no question says no."""
    return _DENIAL.search(words) is not None


def is_about(concept: str, words: str) -> bool:
    """Whether words speak of a concept (`never`, `later`, ...)."""
    return any(re.search(pattern, words, re.IGNORECASE) for pattern in CONCEPTS.get(concept, ()))


def question_in(heard: str) -> str | None:
    """The item asked last in what was heard, None when no question is recognised."""
    last = {item: max((match.start() for match in pattern.finditer(heard)), default=-1) for item, pattern in QUESTIONS.items()}
    item = max(last, key=lambda name: last[name])
    return item if last[item] >= 0 else None


def key_for(concept: str, heard: str) -> str | None:
    """The key that the words offer for a concept (`yes`, `never`, ...), None when they offer none."""
    for pattern in _OFFERS[concept]:
        if matches := list(pattern.finditer(heard)):
            found = matches[-1]["key"].lower()
            return _WORDS.get(found, found)
    return None


def speaking_seconds(text: str) -> float:
    """How long it takes to say: 4.5 Chinese characters or 14 Latin ones a second (domain §2.6)."""
    chinese = sum(1 for sign in text if "\u3400" <= sign <= "\u9fff")
    digits = sum(1 for sign in text if sign.isdigit())
    others = sum(1 for sign in text if sign.isascii() and not sign.isdigit() and sign not in "\n\t")
    return round(chinese / 4.5 + digits / 4.5 + others / 14, 2)
