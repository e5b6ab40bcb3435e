"""What lies in `deploy/` names commands, parts and settings that exist, and can be read by those who shall run it."""

import re
import shutil
import subprocess
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from config import backup_age
from config.cli import COMMANDS
from config.processes import PARTS
from config.setting_rows import variable
from config.settings import Settings
from survey.casework import attachments
from tests.conventions.sources import ROOT
from worker import notifying

DEPLOY = ROOT / "deploy"
UNITS = ("huifang.service", "huifang-backup.service", "huifang-backup.timer")
COMPOSE = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text("utf-8"))


def values(unit: str, name: str) -> list[str]:
    """What a unit says about one thing, comments left out."""
    lines = (DEPLOY / unit).read_text("utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_the_units_start_commands_that_exist() -> None:
    started = [value.split() for unit in UNITS for value in values(unit, "ExecStart")]

    assert started
    assert all(words[0] == "/opt/huifang/huifang" and words[1] in COMMANDS for words in started)


def test_the_service_ends_its_children_last_and_waits_longer_than_the_longest_drain() -> None:
    drain = next(item.metadata["row"].default for item in fields(Settings) if item.name == "drain_seconds")

    assert values("huifang.service", "KillMode") == ["mixed"]
    assert int(values("huifang.service", "TimeoutStopSec")[0]) > int(drain) + 10
    assert values("huifang.service", "Restart") == ["always"]
    assert values("huifang.service", "ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed here")
    for unit in UNITS:  # the program itself is not installed under /opt where tests run
        (tmp_path / unit).write_text((DEPLOY / unit).read_text("utf-8").replace("/opt/huifang/huifang", "/bin/true"))

    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / unit) for unit in UNITS)], capture_output=True, text=True, check=False
    )

    about_us = [line for line in done.stderr.splitlines() if "huifang" in line]
    assert about_us == [], done.stderr


def test_compose_runs_every_part_once_each_with_the_same_settings() -> None:
    ours = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "huifang"}
    parts = [service["command"] for service in ours.values()]

    assert ["migrate"] in parts
    assert (
        {words[2] for words in parts if words[:2] == ["serve", "--only"]} == {"voice", "media", "console", "workers", "clock"} <= set(PARTS)
    )
    assert {service["env_file"] for service in ours.values()} == {"huifang.env"}
    assert all("/data" in service["volumes"] for name, service in ours.items() if name != "migrate"), "each has its own run/ and lock"
    assert "noeviction" in COMPOSE["services"]["valkey"]["command"]


def given_beside() -> set[str]:
    """What compose expects beside itself and the repository does not hold: settings, secrets, folders of the machine."""
    services = COMPOSE["services"].values()
    settings = {service["env_file"] for service in services if "env_file" in service}
    secrets = {secret["file"] for secret in COMPOSE["secrets"].values()}
    mounts = {volume.split(":")[0].removeprefix("./") for service in services for volume in service.get("volumes", []) if volume[0] == "."}
    return {name for name in settings | secrets | mounts if not (DEPLOY / name).exists()}


def test_settings_secrets_and_certificates_come_neither_into_the_image_nor_into_the_repository() -> None:
    assert {"huifang.env", "postgres.password", "tls"} <= given_beside()
    for ignoring in (DEPLOY / "Dockerfile.dockerignore", ROOT / ".gitignore"):
        patterns = [line.removeprefix("/") for line in ignoring.read_text("utf-8").splitlines()]
        left = [name for name in given_beside() if not any(fnmatch(f"deploy/{name}", pattern) for pattern in patterns)]
        assert left == [], ignoring.name


WRITTEN = {
    "console": {"recordings", attachments.FOLDER, notifying.FOLDER, "rejects", backup_age.FOLDER},
    "worker": {"recordings", notifying.FOLDER},
}
"""Which folders of the data each part writes or reads, commands in the console's container."""


def test_what_a_part_writes_outlives_its_container_and_is_seen_by_who_needs_it() -> None:
    made = (DEPLOY / "Dockerfile").read_text("utf-8")
    for part, folders in WRITTEN.items():
        mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in COMPOSE["services"][part]["volumes"] if ":" in volume}
        for folder in folders:
            assert mounted.get(f"/data/{folder}") == folder, (part, folder)
            assert folder in COMPOSE["volumes"]
            assert f"/data/{folder}" in made, "a volume has the owner that the folder has in the image"


def test_settings_that_are_named_exist() -> None:
    known = {variable(item) for item in fields(Settings)}
    for path in DEPLOY.iterdir():
        named = set(re.findall(r"HUIFANG_[A-Z_]+[A-Z]", path.read_text("utf-8")))
        assert named <= known, path.name


def test_the_proxy_leaves_the_signed_url_alone_and_shows_no_figures() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    bare = "\n".join(line.partition("#")[0] for line in text.splitlines())

    assert bare.count("{") == bare.count("}")
    assert all(line.rstrip().endswith((";", "{", "}")) for line in bare.splitlines() if line.strip())
    voice = bare[bare.index("voice.example.org") : bare.index("console.example.org")]
    assert re.findall(r"proxy_pass (\S+);", voice) == ["http://media_server", "http://voice_doors"]
    assert "rewrite" not in voice
    assert re.findall(r"location (?:[~=] )?(\S+)", voice) == ["/voice/media", "^/(voice/|healthz$)", "/"]
    assert "healthz|readyz|metrics" in bare[bare.index("console.example.org") :]


def test_the_proxy_finds_parts_that_were_made_anew_and_tells_the_console_the_port_that_was_asked() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    upstreams = re.findall(r"upstream \w+ \{(.*?)\}", text, re.DOTALL)
    console = text[text.index("console.example.org") :]

    assert len(upstreams) == 3
    assert all("zone " in one and " resolve" in one for one in upstreams)
    assert set(re.findall(r"(?:Host|Forwarded-Host) (\$\w+);", console)) == {"$http_host"}


def test_the_image_starts_what_the_shell_script_starts() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")

    assert 'ENTRYPOINT ["python", "-P", "-m", "config.cli"]' in text
    assert "USER huifang" in text
    assert ".env" in (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
