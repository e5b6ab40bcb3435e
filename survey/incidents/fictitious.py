"""Made-up numbers and officers for real incidents that come without, derived from a seed: the same incident, the same fiction.

The numbers lie in ranges that belong to nobody (`phone.is_fictitious`) and spread evenly over the last two digits.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from survey.phone import area_codes

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤"
)
_GIVEN = (
    "伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "平", "刚", "建华", "志强",
    "秀英", "桂兰", "建国", "晓东", "海燕", "文博", "子涵", "雨桐", "国庆", "立新", "春梅", "丽华", "永生", "宏伟", "玉兰", "佳怡", "天宇",
    "思远", "少华", "红梅", "金凤", "云飞", "学军", "德胜", "淑珍", "俊杰", "欣怡",
)  # fmt: skip
_FIRST = ("James", "Maria", "Robert", "Linda", "Michael", "Ana", "David", "Susan", "Carlos", "Karen", "Daniel", "Nancy",
          "Kevin", "Rosa", "Brian", "Helen", "Jason", "Grace", "Eric", "Diane")  # fmt: skip
_LAST = ("Alvarez", "Brooks", "Castillo", "Dunn", "Ellis", "Fuentes", "Grant", "Huang", "Ingram", "Jensen", "Kim", "Lopez",
         "Moreno", "Nguyen", "Ortiz", "Parker", "Quinn", "Reyes", "Santos", "Turner")  # fmt: skip
_OFFICERS_PER_UNIT = 9


@dataclass(frozen=True)
class Fiction:
    """What to invent for an incident; an absent part is taken from the file."""

    number: Callable[[str], str] | None
    officer: Callable[[str, str], str] | None


def fiction(seed: int, numbers: str, officers: str) -> Fiction:
    """Inventions derived from `seed`: `numbers` is nanp, cn or empty, `officers` is en, zh or empty."""
    dial = {"nanp": _nanp, "cn": _chinese}
    return Fiction(dial[numbers](seed) if numbers else None, _officers(seed, officers) if officers else None)


def chance(seed: int, *parts: str) -> int:
    """A large number that looks random and depends on nothing but its arguments."""
    return int.from_bytes(hashlib.sha256("|".join((str(seed), *parts)).encode()).digest()[:8])


def chinese_name(draw: int) -> str:
    """A common Chinese name, chosen by a large number."""
    return _SURNAMES[draw % len(_SURNAMES)] + _GIVEN[draw // len(_SURNAMES) % len(_GIVEN)]


def english_name(draw: int) -> str:
    """A made-up English name, chosen by a large number."""
    return f"{_FIRST[draw % len(_FIRST)]} {_LAST[draw // len(_FIRST) % len(_LAST)]}"


def _nanp(seed: int) -> Callable[[str], str]:
    """555-01xx in all area codes of the United States, each number once for any run of as many incident numbers."""
    areas = area_codes("US")
    places = list(range(len(areas) * 100))
    random.Random(seed).shuffle(places)

    def number(incident: str) -> str:
        digits = "".join(c for c in incident if c in "0123456789")
        ordinal = int(digits) if 0 < len(digits) <= 18 else chance(seed, incident)
        place = places[ordinal % len(places)]
        return f"+1{areas[place // 100]}55501{place % 100:02}"

    return number


def _chinese(seed: int) -> Callable[[str], str]:
    return lambda incident: f"+86100{chance(seed, 'number', incident) % 10**8:08}"


def _officers(seed: int, language: str) -> Callable[[str, str], str]:
    def officer(unit: str, incident: str) -> str:
        place = chance(seed, "officer", incident) % _OFFICERS_PER_UNIT
        draw = chance(seed, "name", unit, str(place))
        return chinese_name(draw) if language == "zh" else english_name(draw)

    return officer
