"""Whether there is room on the disk: the same measure for dialling, for `/readyz`, for the alarm and for `doctor`."""

import shutil
from pathlib import Path

LEAST_FREE_SHARE = 0.05
PLENTY_BYTES = 5_000_000_000
"""So much free space is enough on a disk of any size."""


def has_room(folder: Path) -> bool:
    """Whether more than 5 % of the disk below the folder, or 5 GB, is free. A disk that cannot be asked has none."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    return usage.free > usage.total * LEAST_FREE_SHARE or usage.free > PLENTY_BYTES
