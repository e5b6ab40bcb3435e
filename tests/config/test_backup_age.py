import os
from datetime import UTC, datetime
from pathlib import Path

from config import backup_age
from config.settings import Settings


def test_the_newest_whole_backup_counts(tmp_path: Path) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path)}, None)
    assert backup_age.newest(settings) is None

    for name, made, whole in (("a", 1000.0, True), ("b", 3000.0, True), ("c", 9000.0, False), ("d", 2000.0, True)):
        folder = backup_age.folder_of(settings) / name
        folder.mkdir(parents=True)
        file = folder / (backup_age.MANIFEST if whole else "half.sqlite")
        file.write_text("{}")
        os.utime(file, (made, made))

    assert backup_age.newest(settings) == datetime.fromtimestamp(3000, UTC)
