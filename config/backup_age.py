"""When the newest backup was made: the one place that knows where backups lie, for the alarm, the metric and `doctor`."""

from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings

FOLDER = "backups"
MANIFEST = "manifest.json"
"""Written last into the folder of a backup, so that a backup that has one is whole."""


def folder_of(settings: Settings) -> Path:
    """Where backups lie."""
    return settings.backup_folder or settings.data / FOLDER


def newest(settings: Settings) -> datetime | None:
    """When the newest whole backup was finished; None when there is none or the folder cannot be read."""
    try:
        made = [path.stat().st_mtime for path in folder_of(settings).glob(f"*/{MANIFEST}")]
    except OSError:
        return None
    return datetime.fromtimestamp(max(made), UTC) if made else None
