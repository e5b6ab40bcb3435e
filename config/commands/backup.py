"""`backup`: everything that is stored, into a folder of its own, while everything runs."""

import re
from pathlib import Path

import click

from config.backup_age import folder_of
from config.commands import restore
from config.settings import ROOT
from config.wiring import House
from survey.errors import NotFound
from survey.store import audit, backup

CHANGES = ROOT / "CHANGELOG.md"


def program() -> str:
    """The version of this program: the first one that its list of changes names."""
    found = re.search(r"^## \[([^]]+)\]", CHANGES.read_text("utf-8"), re.M) if CHANGES.exists() else None
    return found[1] if found else "?"


@click.command("backup")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="存放备份的文件夹 / folder for backups.")
@click.option("--keep", type=click.IntRange(1), help="只保留最新的若干份 / keep so many of the newest, delete older ones.")
@click.pass_obj
def backup_command(house: House, folder: Path | None, keep: int | None) -> None:
    """备份数据库、录音与附件，运行中即可 / Back up the database, recordings and attachments; the system may run meanwhile."""
    into = folder or folder_of(house.settings)
    secrets = restore.secrets_of(house)
    place, manifest = backup.make(house.engine, house.data, into, secrets, house.clock.now(), program())
    with house.unit_of_work() as work:
        told = {"rows": manifest.row_count, "head": manifest.audit["n"], "seal": manifest.seal}
        audit.append(work.session, house.audit_key, house.clock.now(), "cli", "backup", f"backup:{place.name}", **told)
    size = sum(int(part["bytes"]) for part in manifest.parts.values())
    click.echo(f"备份 / backup: {place}")
    click.echo(f"{manifest.row_count} 行 / rows，{manifest.recordings} 个文件 / files，{size / 1e6:.1f} MB")
    click.echo(f"审计链 / audit trail: {manifest.audit['n']} 条 / entries，{manifest.audit['digest']}")
    click.echo(f"恢复需要密钥 / keys needed to restore: {', '.join(['index', *manifest.keys])}（不在备份中 / not in the backup）")
    lacking = backup.lacking(house.engine, manifest)
    if lacking:
        raise NotFound(
            f"备份缺少 {len(lacking)} 个录音或附件，旧备份未删除：请核对 {house.data} 下的文件夹是否即系统所用，例如 {lacking[0]} / "
            f"the backup lacks {len(lacking)} files, older ones are kept: are the folders in {house.data} those that the system uses?"
        )
    for old in backup.keep_newest(into, keep) if keep else []:
        click.echo(f"已删除旧备份 / deleted: {old}")
