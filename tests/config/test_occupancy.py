import subprocess
import sys
from pathlib import Path

import pytest

from config.occupancy import Occupied, occupied

ROOT = Path(__file__).parents[2]


def test_a_second_copy_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with occupied(tmp_path, "http://127.0.0.1:8800/"), pytest.raises(Occupied, match=r"http://127\.0\.0\.1:8800/"), occupied(tmp_path, "x"):
        pass


def test_another_data_folder_is_free(tmp_path: Path) -> None:
    with occupied(tmp_path / "a", "x"), occupied(tmp_path / "b", "y"):
        assert (tmp_path / "b" / "run" / "occupied").exists()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import os, pathlib; from config.occupancy import occupied\n"
        f"with occupied(pathlib.Path({str(tmp_path)!r}), 'x'): os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert ended.returncode == -9

    with occupied(tmp_path, "y"):
        assert (tmp_path / "run" / "occupied").read_text().endswith("y")
