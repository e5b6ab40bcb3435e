"""What only a real survey must have right: with real people on the line, nothing is guessed, made up or unprotected (RS64)."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SHORTEST_SECRET = 32
WORDS_OF_EXAMPLES = ("changeme", "change-me", "secret", "example", "default", "password", "your-")


def problems(values: Mapping[str, Any], dotenv_path: Path | None) -> Iterator[tuple[str, str]]:
    """Every (setting, sentence) that stands against starting with these values; the setting is "" where none is at fault."""
    yield from _everywhere(values)
    if values["environment"] == "production":
        yield from _missing(values)
        yield from _unprotected(values)
        yield from _unrested(values)
        yield from _open_file(dotenv_path)


def _everywhere(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if bool(values["twilio_account_sid"]) != bool(values["twilio_auth_token"]):
        yield "twilio_auth_token", "账号 SID 与令牌须同时给出 / account SID and token must be given together"
    if bool(values["twilio_api_key"]) != bool(values["twilio_api_secret"]):
        yield "twilio_api_secret", "API Key 与其密钥须同时给出 / API key and its secret must be given together"
    if values["mail_host"] and not values["mail_sender"]:
        yield "mail_sender", "设置了邮件服务器时必须给出发件地址 / must be set where there is a mail server"
    if bool(values["mail_user"]) != bool(values["mail_password"]):
        yield "mail_password", "邮件用户名与密码须同时给出 / user and password of the mail server must be given together"
    if bool(values["notice_url"]) != bool(values["notice_secret"]):
        yield "notice_secret", "Webhook 地址与密钥须同时给出 / URL and secret of the web-hook must be given together"


def _missing(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("public_base_url", "twilio_account_sid", "twilio_auth_token", "caller_id", "secret_key", "pii_keys"):
        if not values[name]:
            yield name, "生产环境必须设置 / must be set in production"


def _unprotected(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if values["public_base_url"].startswith("http:"):
        yield "public_base_url", "生产环境须为 https / must be https in production"
    if values["twilio_api_url"].startswith("http:"):
        yield "twilio_api_url", "生产环境须为 https，且不能用模拟线路 / must be https in production; the simulator is refused"
    if values["public_media_url"].startswith("ws:"):
        yield "public_media_url", "生产环境须为 wss / must be wss in production"
    if values["notice_url"].startswith("http:"):
        yield "notice_url", "生产环境须为 https / must be https in production"
    if values["mail_password"] and values["mail_tls"] == "none":
        yield "mail_tls", "不加密时密码会明文传输，须为 starttls 或 tls / without TLS the password is sent in the clear: starttls or tls"
    if values["clock_file"] is not None:
        yield "clock_file", "生产环境不能用虚拟时钟 / the virtual clock is refused in production"
    for name in ("secret_key", "twilio_auth_token", "twilio_auth_token_old", "twilio_api_secret", "operations_token", "notice_secret"):
        if values[name] and _weak(values[name]):
            yield name, f"太短或仍是示例值，至少 {SHORTEST_SECRET} 个字符 / too short or an example, at least {SHORTEST_SECRET} characters"


def _unrested(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not values["quarantine_days"]:
        yield "quarantine_days", "生产环境不能为 0，至少 30 天 / must not be 0 in production: at least 30 days"


def _weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < 8 or any(word in secret.lower() for word in WORDS_OF_EXAMPLES)


def _open_file(path: Path | None) -> Iterator[tuple[str, str]]:
    if path and path.exists() and path.stat().st_mode & stat.S_IRWXO:
        yield "", f"{path.name} 对他人开放，请执行 chmod 600 {path.name} / {path.name} is open to others: chmod 600 {path.name}"
