"""Which ports are free, so that a taken one is a sentence or the next number, never a traceback."""

import socket
from dataclasses import replace

from config.settings import Settings
from survey.errors import SurveyError

TRIES = 50
BACKLOG = 512
"""Connections that may wait while nobody takes them: a restart lasts about two seconds."""


class PortTaken(SurveyError):
    """The port is in use by another program."""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises PortTaken."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(BACKLOG)
    except OSError as problem:
        server.close()
        raise PortTaken(f"无法监听 {host}:{port} / cannot listen on {host}:{port} ({problem.strerror})") from problem
    return server


def answers(host: str, port: int) -> bool:
    """Whether a server listens there now."""
    try:
        with socket.create_connection((_reachable(host), port), timeout=1):
            return True
    except OSError:
        return False


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def next_free(host: str, wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """The first free port from `wanted` upwards that is not in `taken`. Raises PortTaken after TRIES ports."""
    for port in range(wanted, min(wanted + TRIES, 65536)):
        if port not in taken and is_free(host, port):
            return port
    raise PortTaken(f"端口 {wanted} 起的 {TRIES} 个端口都被占用 / {TRIES} ports from {wanted} on are all taken")


def settled(settings: Settings) -> Settings:
    """The settings with ports that are free.

    In production a taken port is refused, because firewall and carrier know it by number: raises PortTaken. In demonstration
    and tests the next free one is taken, and a base URL that meant the voice port follows.
    """
    if settings.environment == "production":
        _insist(settings)
        return settings
    voice = next_free(settings.voice_host, settings.voice_port)
    console = next_free(settings.console_host, settings.console_port, frozenset({voice}))
    media = next_free(settings.media_host, settings.media_port, frozenset({voice, console}))
    own = f"http://127.0.0.1:{settings.voice_port}"
    base = f"http://127.0.0.1:{voice}" if settings.public_base_url == own else settings.public_base_url
    return replace(settings, voice_port=voice, console_port=console, media_port=media, public_base_url=base)


def _insist(settings: Settings) -> None:
    for name, host, port in (
        ("HUIFANG_VOICE_PORT", settings.voice_host, settings.voice_port),
        ("HUIFANG_CONSOLE_PORT", settings.console_host, settings.console_port),
        ("HUIFANG_MEDIA_PORT", settings.media_host, settings.media_port),
    ):
        if not is_free(host, port):
            raise PortTaken(f"{name}={port} 已被其他程序占用，请改用其他端口 / port {port} is taken by another program: change {name}")
