"""The embedded server, as it really runs."""

import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest

from config import valkey
from survey.errors import SurveyError
from tests import embedded


def test_it_listens_on_a_private_socket_and_on_no_port(tmp_path: Path) -> None:
    with embedded.running(tmp_path) as redis:
        socket = valkey.socket_path(tmp_path)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert redis.config_get("port") == {"port": "0"}
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert redis.config_get("appendonly") == {"appendonly": "yes"}


def test_what_was_stored_is_there_after_a_kill(tmp_path: Path) -> None:
    process = embedded.start(tmp_path)
    redis = valkey.client("", tmp_path)
    redis.config_set("appendfsync", "always")
    redis.set("kept", "yes")
    process.send_signal(signal.SIGKILL)
    process.wait()

    with embedded.running(tmp_path) as again:
        assert again.get("kept") == b"yes"


def test_a_folder_with_a_long_name_gets_a_short_socket(tmp_path: Path) -> None:
    data = tmp_path / ("很长的名字" * 12)

    with embedded.running(data) as redis:
        assert redis.ping()
        assert len(os.fsencode(valkey.socket_path(data))) <= valkey.LONGEST_SOCKET_PATH
    assert valkey.socket_path(data) != valkey.socket_path(tmp_path / "other" / ("很长的名字" * 12))


@pytest.mark.parametrize("name", ["with a blank", "a=b", "全角\u3000空格", "tab\there", "line\nbreak"])
def test_a_path_that_would_spoil_the_list_of_clients_gets_another_socket(tmp_path: Path, name: str) -> None:
    data = tmp_path / name

    with embedded.running(data) as redis:
        assert redis.client_info()["laddr"].strip("[").startswith(str(valkey.socket_path(data)))
    assert not valkey.socket_path(data).is_relative_to(data)


def test_a_path_in_chinese_keeps_its_own_socket() -> None:
    with tempfile.TemporaryDirectory(prefix="h-") as short:  # tmp_path may be longer than a socket's name can be
        data = Path(short) / "回访数据"

        with embedded.running(data) as redis:
            assert redis.client_info()["laddr"].strip("[").startswith(str(data))


def test_a_folder_for_temporary_files_with_a_blank_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "my files"))

    assert " " not in str(valkey.socket_path(tmp_path / "data here"))


def test_a_runtime_folder_that_is_a_link_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(valkey, "socket_path", lambda data: tmp_path / "link" / "valkey.sock")

    with pytest.raises(SurveyError, match="link"):
        valkey.command(tmp_path / "data")


def test_a_server_left_over_is_ended(tmp_path: Path) -> None:
    process = embedded.start(tmp_path)

    assert valkey.end_left_over(tmp_path)

    assert process.wait(timeout=embedded.PATIENCE_SECONDS) == 0
    assert not valkey.end_left_over(tmp_path)


def test_nobody_there_is_noticed_at_once(tmp_path: Path) -> None:
    assert not valkey.answers(valkey.client("", tmp_path))
    assert not valkey.answers(valkey.client("redis://127.0.0.1:1/0", tmp_path))
