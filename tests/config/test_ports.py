import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import ports
from config.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_gives_way_to_the_next_free_one(tmp_path: Path, taken: int) -> None:
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_VOICE_PORT": str(taken)}, None)

    settled = ports.settled(settings)

    assert taken < settled.voice_port < taken + ports.TRIES
    assert settled.public_base_url == f"http://127.0.0.1:{settled.voice_port}"
    assert settled.console_port != settled.voice_port


def test_a_base_url_of_ones_own_does_not_move(tmp_path: Path, taken: int) -> None:
    given = {"HUIFANG_DATA": str(tmp_path), "HUIFANG_VOICE_PORT": str(taken), "HUIFANG_PUBLIC_BASE_URL": "https://voice.example.org"}

    assert ports.settled(Settings.from_env(given, None)).public_base_url == "https://voice.example.org"


def test_two_doors_that_want_one_port_get_two(tmp_path: Path) -> None:
    free = ports.next_free("127.0.0.1", 20000)
    settings = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_VOICE_PORT": str(free), "HUIFANG_CONSOLE_PORT": str(free)}, None)

    settled = ports.settled(settings)

    assert settled.voice_port != settled.console_port


def test_production_names_the_taken_port_instead_of_moving(tmp_path: Path, taken: int) -> None:
    demo = Settings.from_env({"HUIFANG_DATA": str(tmp_path), "HUIFANG_VOICE_PORT": str(taken)}, None)

    with pytest.raises(ports.PortTaken, match=f"HUIFANG_VOICE_PORT={taken}"):
        ports.settled(replace(demo, environment="production"))


def test_a_port_answers_while_somebody_listens(taken: int) -> None:
    assert ports.answers("127.0.0.1", taken)
    assert not ports.answers("127.0.0.1", ports.next_free("127.0.0.1", 21000))
