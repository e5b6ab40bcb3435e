"""Holidays and make-up working days that a file adds to the shipped calendar, once for each process."""

from datetime import date
from pathlib import Path

from config.setting_rows import PREFIX
from config.settings import SettingsFaulty
from survey.errors import BadInput
from survey.working_days import SpecialDay, incomplete_years, read_special_days, shipped

NAME = f"{PREFIX}SPECIAL_DAYS"


def given(path: Path | None) -> tuple[SpecialDay, ...]:
    """The days in the file, none without one; UTF-8, or GB18030 as spreadsheets save it.

    Raises SettingsFaulty, also for a later year that is not whole: its other days would be counted Monday to Friday.
    """
    if path is None:
        return ()
    try:
        days = read_special_days(_text(path.read_bytes()))
    except OSError as error:
        raise SettingsFaulty((f"{NAME}：打不开 {path}（{error.strerror}） / {path} cannot be opened",)) from error
    except (BadInput, UnicodeDecodeError) as error:
        raise SettingsFaulty((f"{NAME}：{path}：{error}",)) from error
    if not days:
        raise SettingsFaulty((f"{NAME}：{path} 里没有日期 / {path} holds no day",))
    missing = {year: feasts for year, feasts in incomplete_years(days).items() if year not in (shipped().years or ())}
    if missing:
        raise SettingsFaulty(tuple(_lacking(path, year, feasts) for year, feasts in missing.items()))
    return days


def _lacking(path: Path, year: int, feasts: tuple[date, ...]) -> str:
    listed = "、".join(day.isoformat() for day in feasts)
    zh = f"{path} 中 {year} 年不完整，缺少法定假日 {listed}；请写入国务院办公厅通知的全年安排"
    return f"{NAME}：{zh} / {year} is not whole, {listed} must be off by law: give the whole year's notice"


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")
