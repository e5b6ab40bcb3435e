"""What `doctor` looks at in a house at work: clocks, connections, campaigns, backups, alarms, the way in from outside."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from config import backup_age
from config.clock import SystemClock
from config.findings import GOOD, WARNING, WRONG, Finding
from config.wiring import House
from survey import alarms
from survey.errors import BadInput
from survey.fieldwork import rules_of
from survey.store.database import reading, session_factory
from survey.store.queries import operations, people
from worker.lookout import OLDEST_BACKUP

MOST_SECONDS_APART = 5.0
NOW = {"postgresql": "SELECT extract(epoch FROM clock_timestamp())", "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400"}
PRAGMAS = {"journal_mode": ("wal",), "synchronous": ("1", "2"), "foreign_keys": ("1",)}
"""What we set on every connection; `synchronous` is 2 (FULL), or 1 (NORMAL) where the URL asks for it."""

CONNECTIONS = 3
WAY_IN_SECONDS = 5.0


def zones(house: House) -> Iterator[Finding]:
    """Without zones nobody knows when a person may be called."""
    try:
        known = [ZoneInfo(name).key for name in (house.settings.timezone, "Asia/Shanghai", "UTC")]
    except (ZoneInfoNotFoundError, ValueError) as problem:
        yield Finding(WRONG, "zones", f"缺少时区数据库 / the time zone database is missing ({problem})", "pip install tzdata")
    else:
        yield Finding(GOOD, "zones", known[0])


def clocks(house: House) -> Iterator[Finding]:
    """Leases are compared with the machines' time, so it must be the same everywhere."""
    if not is_there(house):
        return
    with suppress(SQLAlchemyError, KeyError), house.engine.connect() as connection:
        before = SystemClock().now().timestamp()
        theirs = float(connection.execute(text(NOW[connection.dialect.name])).scalar_one())
        after = SystemClock().now().timestamp()
        apart = max(before - theirs, theirs - after, 0.0)
        if apart > MOST_SECONDS_APART:
            yield Finding(
                WRONG, "clock", f"与数据库时钟相差 {apart:.0f} 秒 / {apart:.0f} s apart from the database's clock",
                "在两台机器上启用 NTP（chrony） / run NTP (chrony) on both machines",
            )  # fmt: skip
        else:
            yield Finding(GOOD, "clock", f"与数据库相差 {apart:.1f} 秒 / {apart:.1f} s apart from the database's")


def is_there(house: House) -> bool:
    """Whether the database exists: connecting to a SQLite that does not would make an empty one."""
    url = make_url(house.settings.database_url)
    return url.get_backend_name() != "sqlite" or url.database is None or (house.data / url.database).exists()


def connections(house: House) -> Iterator[Finding]:
    """Whether SQLite keeps what it commits, on more than the first connection of the pool."""
    if house.engine.dialect.name != "sqlite" or not is_there(house):
        return
    wrong: set[str] = set()
    with suppress(SQLAlchemyError):
        opened = [reading(house.engine).connect() for _ in range(CONNECTIONS)]
        try:
            for connection in opened:
                found = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in PRAGMAS}
                wrong |= {f"{name}={value}" for name, value in found.items() if value not in PRAGMAS[name]}
        finally:
            for connection in opened:
                connection.close()
    if wrong:
        yield Finding(
            WRONG, "connections", f"未按要求打开：{', '.join(sorted(wrong))} / not opened as they must be",
            "数据文件夹须在本机磁盘上（不能是网络盘） / the data folder must lie on a disk of this machine, not on a network drive",
        )  # fmt: skip
    else:
        yield Finding(GOOD, "connections", "WAL, synchronous, foreign_keys")


def campaigns(house: House) -> Iterator[Finding]:
    """Campaigns that could never call anybody, or would call without end."""
    if not is_there(house):
        return
    with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
        for campaign in operations.open_campaigns(session):
            name = f"campaign {campaign.id}"
            if campaign.calls_per_second <= 0 or campaign.lines <= 0:
                yield Finding(WRONG, name, "每秒呼叫数或线路数不大于 0 / pace and lines must be above 0", "./huifang campaign --help")
            try:
                rules_of(campaign)
            except (BadInput, KeyError, ValueError) as problem:
                yield Finding(WRONG, name, f"外呼规则无法使用 / its rules cannot be used: {problem}", "./huifang campaign --help")


def backups(house: House) -> Iterator[Finding]:
    """In production an old backup is as bad as none."""
    if house.settings.environment != "production":
        return
    newest = backup_age.newest(house.settings)
    if newest is None:
        yield Finding(WARNING, "backup", "没有备份 / there is no backup", str(backup_age.folder_of(house.settings)))
        return
    age = SystemClock().now() - newest
    hours = age.total_seconds() / 3600
    mark = WARNING if age > OLDEST_BACKUP else GOOD
    yield Finding(mark, "backup", f"最近一次在 {hours:.0f} 小时前 / the last one was made {hours:.0f} hours ago")


def standing(house: House) -> Iterator[Finding]:
    """What the console shows as alarms."""
    if not is_there(house):
        return
    with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
        for word, count in sorted(operations.alarms(session).items()):
            with suppress(KeyError):
                kind = alarms.AlarmKind.from_word(word)
                mark = WRONG if kind.gravity == "critical" else WARNING
                yield Finding(mark, f"alarm {word}", f"{kind.zh} / {kind.en}" + (f" × {count}" if count > 1 else ""), "/alarms")


def operations_token(house: House) -> Iterator[Finding]:
    """Who may read the metrics."""
    if house.settings.operations_token:
        yield Finding(GOOD, "operations", "/metrics 与 /readyz 凭令牌可从外部读取 / may be read from elsewhere with the token")
    else:
        yield Finding(GOOD, "operations", "/metrics 与 /readyz 仅限本机读取 / may be read from this machine only")


def way_in(house: House) -> Iterator[Finding]:
    """Whether the carrier would find the voice door at its public address; asked in production alone."""
    if house.settings.environment != "production":
        return
    address = house.settings.public_base_url.rstrip("/") + "/healthz"
    try:
        with urllib.request.urlopen(address, timeout=WAY_IN_SECONDS) as answer:
            yield Finding(GOOD, "public url", f"{address}: {answer.status}")
    except (urllib.error.URLError, OSError, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        yield Finding(
            WARNING, "public url", f"从本机无法访问 {address}（{reason}） / cannot be reached from this machine",
            "检查服务是否已启动、反向代理与证书；有的网络从内部本就无法访问 / is the service up, the proxy and the certificate right? "
            "Some networks never let it be reached from inside",
        )  # fmt: skip


def second_factors(house: House) -> Iterator[Finding]:
    """Who may change accounts and campaigns should need more than a password; asked in production alone."""
    if house.settings.environment != "production" or not is_there(house):
        return
    with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
        count, protected = people.administrators(session)
        told = f"{count} 名管理员，{protected} 名已启用动态口令 / {protected} of {count} administrators have a second factor"
        remedy = "控制台右上角姓名 → 动态口令；HUIFANG_SECOND_FACTOR_ROLES=administrator / your name at the top right → Second factor"
        yield Finding(GOOD if protected == count else WARNING, "second factor", told, "" if protected == count else remedy)


def inspection(house: House) -> Iterator[Finding]:
    """Allegations of abuse are shown to the role inspection alone (R35): without an account of it they wait unseen."""
    if house.settings.environment != "production" or not is_there(house):
        return
    with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
        if not people.is_held(session, "inspection"):
            told = "没有督察账号，反映违纪的件无人可见 / nobody has the role inspection: allegations of abuse wait unseen"
            yield Finding(WARNING, "inspection", told, "./huifang user add NAME --role inspection")


CHECKS = (zones, clocks, connections, campaigns, backups, standing, second_factors, inspection, operations_token, way_in)
