"""`restore`: a backup becomes the database again, or is only tried (`--check`)."""

import base64
import os
import tempfile
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Engine, inspect, select, text, update

from config.occupancy import occupied
from config.wiring import House
from survey import fieldwork
from survey.errors import NotAllowed
from survey.store import audit
from survey.store import restore as restoring
from survey.store.backup import Manifest, Secrets
from survey.store.database import open_engine
from survey.store.models import Campaign, UserSession

OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
PLACE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("restore")
@click.argument("backup", type=PLACE)
@click.option("--check", is_flag=True, help="只演练：恢复到临时位置并核对 / drill: restore into a temporary place and compare.")
@click.option("--replace", is_flag=True, help="现有数据库移到一旁 / set the present database aside.")
@click.pass_obj
def restore_command(house: House, backup: Path, check: bool, replace: bool) -> None:
    """由备份恢复数据库与录音 / Bring a backup back into the configured database and data folder."""
    secrets = secrets_of(house)
    manifest = restoring.examine(backup, secrets, house.keys)
    click.echo(f"备份 / backup: {manifest.made_at}，{manifest.engine}，版本 / revision {manifest.revision}")
    if check:
        outcome = _drill(backup, manifest, secrets)
    else:
        with occupied(house.data, "restore"):
            outcome = _restore(house, backup, manifest, secrets, replace)
            paused = _make_safe(house, backup.name, manifest)
        for name in paused:
            click.echo(f"任务已暂停，核对后再继续 / the campaign is paused, look before you resume it: {name}")
    click.echo(f"✓ {outcome.rows} 行与备份一致 / rows equal the backup，{outcome.recordings} 个文件 / files")
    click.echo(f"✓ 审计链完整 / the audit trail is whole: {outcome.audit_entries} 条 / entries，{manifest.audit['digest']}")
    if manifest.missing:
        click.echo(f"备份时缺 {len(manifest.missing)} 个文件 / files were not there when the backup was made: {manifest.missing[0]}")


def secrets_of(house: House) -> Secrets:
    """The keys by which backups are sealed."""
    key = house.settings.backup_key
    return Secrets(house.audit_key, base64.b64decode(key) if key else None)


def _drill(backup: Path, manifest: Manifest, secrets: Secrets) -> restoring.Outcome:
    with tempfile.TemporaryDirectory(prefix="huifang-restore-") as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'drill.sqlite'}?synchronous=NORMAL")
        try:
            outcome = restoring.fill(engine, backup, manifest, secrets)
            _count_recordings(restoring.unpack_recordings(backup, manifest, secrets, Path(folder)), manifest)
        finally:
            engine.dispose()
    return outcome


def _count_recordings(found: int, manifest: Manifest) -> None:
    if found != manifest.recordings:
        raise NotAllowed(f"录音数量不符：{found} ≠ {manifest.recordings} / the number of recordings differs")


def _restore(house: House, backup: Path, manifest: Manifest, secrets: Secrets, replace: bool) -> restoring.Outcome:
    stamp = f"{house.clock.now():%Y%m%d%H%M%S}"
    if house.engine.dialect.name == "sqlite":
        outcome = _into_file(house, backup, manifest, secrets, stamp if replace else "")
    else:
        _make_room(house.engine, stamp if replace else "")
        outcome = restoring.fill(house.engine, backup, manifest, secrets)
    _count_recordings(restoring.unpack_recordings(backup, manifest, secrets, house.data), manifest)
    return outcome


def _into_file(house: House, backup: Path, manifest: Manifest, secrets: Secrets, stamp: str) -> restoring.Outcome:
    """Fill a new file beside the present one; it takes the other's place when it is whole."""
    target = Path(str(house.engine.url.database))
    if not stamp and target.exists() and inspect(house.engine).get_table_names():
        raise NotAllowed(f"数据库 {target} 不是空的；如要取代请加 --replace / {target} is not empty: --replace sets it aside")
    house.engine.dispose()
    draft = target.with_name(f"{target.name}.restoring")
    for left in _with_journal(draft):
        left.unlink(missing_ok=True)
    engine = open_engine(f"sqlite:///{draft}")
    try:
        outcome = restoring.fill(engine, backup, manifest, secrets)
    finally:
        engine.dispose()  # the last connection brings the journal into the file
    if stamp and target.exists():
        aside = target.with_name(f"{target.name}.before-{stamp}")
        for old, new in zip(_with_journal(target), _with_journal(aside), strict=True):
            if old.exists():
                old.rename(new)
        click.echo(f"原数据库 / the former database: {aside}")
    for stale in _with_journal(target):
        stale.unlink(missing_ok=True)
    draft.rename(target)
    _reach_the_disk(target)
    return outcome


def _with_journal(path: Path) -> tuple[Path, Path, Path]:
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _reach_the_disk(path: Path) -> None:
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _make_room(engine: Engine, stamp: str) -> None:
    """On PostgreSQL: nobody else is there, and the tables lie in an empty schema."""
    with engine.begin() as connection:
        if others := connection.scalar(OTHERS):
            raise NotAllowed(f"还有 {others} 个会话连着数据库，请先停止系统 / {others} sessions use the database: stop the system first")
        if not inspect(connection).get_table_names():
            return
        if not stamp:
            raise NotAllowed("数据库不是空的；如要取代请加 --replace / the database is not empty: --replace sets it aside")
        aside = f"before_{stamp}"
        connection.execute(text(f"ALTER SCHEMA public RENAME TO {aside}"))
        connection.execute(text("CREATE SCHEMA public"))
    click.echo(f"原数据在模式 {aside} 中；确认后可 DROP SCHEMA {aside} CASCADE / the former tables lie in the schema {aside}")


def _make_safe(house: House, name: str, manifest: Manifest) -> list[str]:
    """What happened since the backup is unknown here: nobody is dialled until a person has looked, everybody logs in anew."""
    now = house.clock.now()
    reason = f"由 {_local(manifest, house)} 的备份恢复 / restored from a backup"
    with house.unit_of_work() as work:
        session = work.session
        running = list(session.scalars(select(Campaign).where(Campaign.state == "running")))
        for campaign in running:
            fieldwork.pause(session, house.office, campaign, "cli", now, reason)
        session.execute(update(UserSession).where(UserSession.ended_at.is_(None)).values(ended_at=now))
        told = {"head": manifest.audit["n"], "made_at": manifest.made_at}
        audit.append(session, house.audit_key, now, "cli", "restore", f"backup:{name}", **told)
        return [campaign.name for campaign in running]


def _local(manifest: Manifest, house: House) -> str:
    return f"{datetime.fromisoformat(manifest.made_at).astimezone(house.bureau.tzinfo):%Y-%m-%d %H:%M}"
