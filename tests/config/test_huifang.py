"""The script that a fresh machine starts with, in a folder with a space in its name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "cat", "cksum", "rm", "env", "sleep")
CLI = "import sys\nprint('cli', *sys.argv[1:])\nsys.exit(7 if 'fail' in sys.argv else 0)\n"
PYTEST = (
    "import sys, os\nprint('pytest', os.getcwd(), *sys.argv[1:])\nprint('3 passed in 0.01s')\nsys.exit(5 if 'fail' in sys.argv else 0)\n"
)


def make_home(folder: Path) -> Path:
    home = folder / "回访 home"
    (home / "config").mkdir(parents=True)
    shutil.copy(ROOT / "huifang", home)
    for name, content in (
        ("config/__init__.py", ""), ("config/cli.py", CLI), ("pytest.py", PYTEST), ("requirements.txt", "# nothing\n"),
        ("requirements-dev.txt", "-r requirements.txt\n"),
    ):  # fmt: skip
        (home / name).write_text(content)
    return home


def run(
    home: Path, *arguments: str, cwd: Path | None = None, path: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIP_NO_INDEX": "1", **variables, **({"PATH": path} if path else {})}
    return subprocess.run(
        [str(home / "huifang"), *arguments], cwd=cwd or home, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs without any Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home after its first run, and what that run said."""
    home = make_home(tmp_path_factory.mktemp("checkout"))
    path = os.pathsep.join([str(Path(sys.executable).resolve().parent), os.environ["PATH"]])
    first = run(home, "doctor", path=path)
    assert first.returncode == 0, first.stderr
    return home, first.stderr


def test_the_first_run_says_what_it_does_and_the_second_is_silent(ready: tuple[Path, str]) -> None:
    home, said = ready

    second = run(home, "doctor")

    assert "requirements.txt" in said
    assert (second.stdout, second.stderr) == ("cli doctor\n", "")


def test_arguments_arrive_as_they_were_typed_from_any_folder(ready: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise SystemExit('somebody else’s config was imported')")

    done = run(ready[0], "import", "a file.csv", "--mapping", "*", cwd=tmp_path)

    assert done.stdout == "cli import a file.csv --mapping *\n"


def test_the_exit_status_is_handed_on(ready: tuple[Path, str]) -> None:
    assert run(ready[0], "fail").returncode == 7


def test_the_tests_run_in_the_checkout_and_end_with_their_own_last_line(ready: tuple[Path, str], tmp_path: Path) -> None:
    done = run(ready[0], "test", "-k", "two words", cwd=tmp_path)

    assert done.stdout.splitlines() == [f"pytest {ready[0]} -k two words", "3 passed in 0.01s"]
    assert run(ready[0], "test", "fail").returncode == 5


def test_changed_requirements_are_installed_again(ready: tuple[Path, str]) -> None:
    home = ready[0]
    (home / "requirements.txt").write_text("# nothing yet\n")

    assert "requirements.txt" in run(home, "doctor").stderr
    assert run(home, "doctor").stderr == ""


def test_an_index_that_cannot_be_reached_is_one_sentence_with_a_remedy(ready: tuple[Path, str]) -> None:
    home = ready[0]
    before = (home / "requirements.txt").read_text()
    (home / "requirements.txt").write_text("a-package-that-nobody-has==1.0\n")

    done = run(home, "doctor")

    (home / "requirements.txt").write_text(before)
    assert done.returncode == 1
    assert "软件包索引" in done.stderr
    assert "package index" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert "cli" not in done.stdout


def test_no_python_is_one_sentence_with_a_remedy(tmp_path: Path, tools: Path) -> None:
    done = run(make_home(tmp_path), "demo", path=str(tools))

    assert done.returncode == 1
    assert "没有找到 Python 3.11" in done.stderr
    assert "No Python 3.11" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_an_old_python_does_not_count(tmp_path: Path, tools: Path) -> None:
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    assert "No Python 3.11" in run(make_home(tmp_path), "demo", path=str(tools)).stderr


def test_a_python_without_venv_is_named_with_the_package_that_mends_it(tmp_path: Path, tools: Path) -> None:
    bare = tools / "python3.12"
    bare.write_text(
        "#!/bin/sh\ncase $1 in -c) exit 0;; --version) echo Python 3.12.0;; *) echo 'No module named venv' >&2; exit 1;; esac\n"
    )
    bare.chmod(0o755)
    home = make_home(tmp_path)

    done = run(home, "demo", path=str(tools))

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert "No module named venv" in (home / ".venv.log").read_text()
    assert not (home / ".venv").exists()
