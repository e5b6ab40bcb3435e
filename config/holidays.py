"""Holidays and make-up working days that a file adds to the shipped calendar, once for each process."""

from pathlib import Path

from config.setting_rows import PREFIX
from config.settings import SettingsFaulty
from survey.errors import BadInput
from survey.working_days import SpecialDay, read_special_days

NAME = f"{PREFIX}SPECIAL_DAYS"


def given(path: Path | None) -> tuple[SpecialDay, ...]:
    """The days in the file, none without one; UTF-8, or GB18030 as spreadsheets save it. Raises SettingsFaulty."""
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
    return days


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")
