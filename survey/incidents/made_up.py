"""A believable month of a city that does not exist, for trying everything out without a file.

Units of very different sizes, busy evenings, quiet nights, repeated callers, missing numbers, sensitive cases,
cancelled and repeated calls, minors. All numbers lie in the fictitious range +86 100; the month is a file that takes the
same way in as a real one (mapping `police-110-zh`).
"""

import calendar
import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from survey.errors import BadInput
from survey.incidents.fictitious import chinese_name

MAPPING = "police-110-zh"
HEADERS = ("警情编号", "报警时间", "到场时间", "结案时间", "报警方式", "警情类别", "处理结果", "处警单位代码", "处警单位",
           "报警人", "报警人年龄", "报警电话", "处警民警", "事发地址")  # fmt: skip
USUAL_COUNT = 2000


@dataclass(frozen=True)
class MadeUpUnit:
    """A unit with its share of a thousand incidents, its officers, and how many minutes it needs to arrive."""

    code: str
    name: str
    share: int
    officers: int
    arrival_minutes: int
    traffic: bool = False


UNITS = (
    MadeUpUnit("990101", "城中派出所", 178, 14, 7),
    MadeUpUnit("990102", "东湖派出所", 142, 12, 8),
    MadeUpUnit("990103", "站前派出所", 121, 11, 6),
    MadeUpUnit("990104", "开发区派出所", 98, 9, 11),
    MadeUpUnit("990105", "河西派出所", 86, 9, 9),
    MadeUpUnit("990109", "青石镇派出所", 15, 4, 18),
    MadeUpUnit("990111", "水上派出所", 5, 3, 15),
    MadeUpUnit("990121", "交警一大队", 121, 12, 12, traffic=True),
    MadeUpUnit("990122", "交警二大队", 80, 9, 14, traffic=True),
)
_POLICE = {
    "邻里纠纷": 70, "消费纠纷": 55, "经济纠纷": 45, "家庭纠纷": 55, "劳资纠纷": 18, "盗窃": 60, "盗窃电动自行车": 45, "入室盗窃": 12,
    "电信网络诈骗": 70, "街头诈骗": 8, "殴打他人": 60, "打架斗殴": 25, "威胁恐吓": 18, "噪声扰民": 85, "扰乱公共秩序": 25, "醉酒": 30,
    "故意损毁财物": 22, "群众求助": 120, "开锁": 18, "遗失物品": 45, "老人走失": 12, "寻人": 14, "赌博": 10, "可疑人员": 14, "火警": 8,
    "险情": 8, "犬只伤人": 12, "举报": 25, "家庭暴力": 22, "猥亵": 4, "校园欺凌": 5, "自杀": 7, "精神障碍": 9, "非正常死亡": 5,
    "儿童走失": 5, "跟踪纠缠": 4, "涉密警情": 2, "骚扰电话": 22, "误拨": 20, "咨询": 18, "其他警情": 30,
}  # fmt: skip
_TRAFFIC = {"财产损失事故": 330, "伤人事故": 70, "刮擦事故": 210, "肇事逃逸": 25, "违停挪车": 190, "交通拥堵": 45, "信号灯故障": 15,
            "酒驾举报": 20, "交通违法举报": 50, "亡人事故": 4, "误拨": 20}  # fmt: skip
_HOURS = (22, 14, 10, 7, 6, 8, 16, 34, 50, 56, 56, 52, 46, 44, 50, 54, 56, 62, 66, 70, 72, 66, 52, 36)
_SOURCES = {"电话报警": 905, "互联网报警": 35, "来所报警": 15, "民警巡逻发现": 22, "技防报警": 13, "联动单位": 10}
_RESULTS = {
    "现场处理完毕": 480,
    "现场调解": 230,
    "受案": 90,
    "立案": 25,
    "移交其他部门": 45,
    "口头警告": 35,
    "已撤警": 28,
    "重复报警": 42,
    "虚假报警": 8,
    "未发现警情": 17,
}
_ROADS = ("解放路", "人民路", "建设街", "滨河大道", "学府路", "湖滨路", "站前街", "青年路", "和平街", "工业大道", "柳林街", "花园路")
_NO_NUMBER = ("", "", "", "无", "未留")
BAD_NUMBERS = ("110", "1.00138E+10", "100123456", "4008001234", "+86 100 1234 56789 0")
_SLOWEST = 2.2


def month_of_incidents(month: str, seed: int, count: int = USUAL_COUNT) -> Iterator[tuple[str, ...]]:
    """Rows under HEADERS for `month` (YYYY-MM), in order of the call; the same arguments give the same rows.

    Raises BadInput for another form of month.
    """
    first, days = _calendar(month)
    chance = Random(f"{seed}:{month}:{count}")
    moments = sorted(_moment(chance, first, days) for _ in range(count))
    callers = _Callers(chance)
    for serial, at in enumerate(moments, start=1):
        yield _incident(chance, callers, serial, at)


def write_month(path: Path, month: str, seed: int, count: int = USUAL_COUNT) -> None:
    """Write the made-up month as a CSV file with Chinese headers (UTF-8 with byte-order mark)."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(month_of_incidents(month, seed, count))


def _calendar(month: str) -> tuple[datetime, int]:
    try:
        first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 -- local time: the file names no zone
    except ValueError:
        raise BadInput(f"月份应形如 2025-03 / write the month like 2025-03, not “{month}”") from None
    return first, calendar.monthrange(first.year, first.month)[1]


def _moment(chance: Random, first: datetime, days: int) -> datetime:
    weights = [1.15 if (first + timedelta(days=day)).weekday() >= 4 else 1.0 for day in range(days)]
    day = chance.choices(range(days), weights)[0]
    hour = chance.choices(range(24), _HOURS)[0]
    return first + timedelta(days=day, hours=hour, seconds=chance.randrange(3600))


def _incident(chance: Random, callers: "_Callers", serial: int, at: datetime) -> tuple[str, ...]:
    unit = chance.choices(UNITS, [unit.share for unit in UNITS])[0]
    kinds = _TRAFFIC if unit.traffic else _POLICE
    kind = _pick(chance, kinds)
    result = _pick(chance, _RESULTS)
    arrived = at + timedelta(minutes=unit.arrival_minutes * min(_SLOWEST, chance.lognormvariate(0, 0.35)))
    closed = arrived + timedelta(minutes=min(2880, 12 + chance.lognormvariate(3.4, 0.8)))
    came = result not in ("已撤警", "重复报警") and kind not in ("骚扰电话", "误拨", "咨询")
    name, age, number = callers.next()
    return (
        f"{at:%Y%m%d}{serial:06}", _written(at), _written(arrived) if came else "", _written(closed), _pick(chance, _SOURCES), kind, result,
        unit.code, unit.name, name, age, number, _officer(chance, unit), f"{chance.choice(_ROADS)}{chance.randrange(1, 399)}号",
    )  # fmt: skip


def _pick(chance: Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _officer(chance: Random, unit: MadeUpUnit) -> str:
    """Each unit has its own few officers, the same in every month."""
    return chinese_name(int(unit.code) * 7919 + chance.randrange(unit.officers) * 104_729)


class _Callers:
    """People who call, some of them again and again; numbers are written in the many ways in which people write them."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._known: list[tuple[str, str, str]] = []
        self._serial = itertools.count()

    def next(self) -> tuple[str, str, str]:
        """Name, age (often unknown) and telephone number of the next caller."""
        if self._known and self._chance.random() < 0.05:
            return self._chance.choice(self._known)
        caller = (chinese_name(self._chance.randrange(10**9)), self._age(), self._number())
        if self._chance.random() < 0.6:
            self._known.append(caller)
        return caller

    def _age(self) -> str:
        draw = self._chance.random()
        if draw < 0.45:
            return ""
        return str(self._chance.randrange(11, 18)) if draw < 0.465 else str(self._chance.randrange(18, 84))

    def _number(self) -> str:
        draw = self._chance.random()
        if draw < 0.045:
            return self._chance.choice(_NO_NUMBER)
        if draw < 0.055:
            return self._chance.choice(BAD_NUMBERS)
        digits = f"{self._chance.randrange(10**6):06}{next(self._serial) * 37 % 100:02}"  # all endings equally often
        shapes = ("+86100{0}{1}", "+86100{0}{1}", "0086100{0}{1}", "+86 100 {0} {1}", "+86-100-{0}-{1}")
        return self._chance.choice(shapes).format(digits[:4], digits[4:])
