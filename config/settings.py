"""Every setting in one table: the fields of `Settings`, each with its default, its reader and its help in two languages.

Values come from `HUIFANG_*` environment variables, then from `.env`, then from the defaults; all problems are
reported together. Secrets never show in `repr`.
"""

import difflib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from config import own_secrets, production, readers
from config.casework_settings import CaseworkSettings
from config.setting_rows import PREFIX, row, row_of, variable, written
from survey.errors import SurveyError

ROOT = Path(__file__).resolve().parent.parent
TWILIO = "https://api.twilio.com"


class SettingsFaulty(SurveyError):
    """The settings cannot be used."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("配置有误 / the settings are wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings(CaseworkSettings):
    """The settings in force. The fields are the table, with those of the people's work, which have a table of their own."""

    environment: str = row(
        "demo", readers.one_of("demo", "test", "production"),
        "运行环境：demo、test 或 production", "Environment: demo, test or production",
    )  # fmt: skip
    data: Path = row(  # noqa: RUF009
        "data", Path, "数据文件夹：所存一切都在其中", "Data folder: everything that is stored lies in it"
    )
    database_url: str = row(
        "", readers.database_url,
        "数据库地址；留空用数据文件夹中的 SQLite", "Database URL; empty means SQLite in the data folder", secret=True,
    )  # fmt: skip
    redis_url: str = row(
        "", readers.redis_url,
        "Redis 或 Valkey 地址；留空用内置服务器", "Redis or Valkey URL; empty means the embedded server", secret=True,
    )  # fmt: skip
    public_base_url: str = row(
        "", readers.url("http", "https"),
        "运营商访问语音门的公网地址（生产须 https）；留空用本机语音端口",
        "URL at which the carrier reaches the voice door (https in production); empty means the voice port on this machine",
    )  # fmt: skip
    twilio_account_sid: str = row("", readers.account_sid, "Twilio 账号 SID", "Twilio account SID")
    twilio_auth_token: str = row("", readers.text, "Twilio 认证令牌", "Twilio auth token", secret=True)
    twilio_auth_token_old: str = row(
        "", readers.text,
        "更换令牌期间仍然接受的旧令牌；换完请删去", "Former auth token, still accepted while it is being replaced; remove it afterwards",
        secret=True,
    )  # fmt: skip
    twilio_api_key: str = row(
        "", readers.text,
        "Twilio API Key（SK…）；给出时呼叫接口用它而不用令牌",
        "Twilio API key (SK…); where given, the API is used with it instead of the token",
        secret=True,
    )  # fmt: skip
    twilio_api_secret: str = row("", readers.text, "Twilio API Key 的密钥", "Secret of the Twilio API key", secret=True)
    twilio_api_url: str = row(
        TWILIO, readers.url("http", "https"),
        "Twilio 接口地址；可换成任何同接口的服务器", "Twilio API URL; any server that speaks the same API can be named",
    )  # fmt: skip
    carrier_timeout: float = row(
        "10", readers.number(1, 10), "等待运营商接口的秒数", "Seconds to wait for the carrier's API",
    )  # fmt: skip
    caller_id: str = row(
        "", readers.e164,
        "主叫号码（E.164），须经运营商核验；非生产环境留空用虚构号码",
        "Number shown to the called person (E.164), verified with the carrier; outside production empty means a fictitious one",
    )  # fmt: skip
    voice_host: str = row("127.0.0.1", readers.name, "语音门监听地址", "Address the voice door listens on")
    voice_port: int = row("8801", readers.whole(1, 65535), "语音门端口", "Port of the voice door")
    voice_threads: int = row("96", readers.whole(2, 512), "语音门线程数", "Threads of the voice door")
    console_host: str = row("127.0.0.1", readers.name, "控制台监听地址", "Address the console listens on")
    console_port: int = row("8800", readers.whole(1, 65535), "控制台端口", "Port of the console")
    console_threads: int = row(
        "32", readers.whole(2, 512), "控制台线程数；少于 HUIFANG_CONSOLE_TABS 的两倍加 16 的，自动补足",
        "Threads of the console; made up to twice HUIFANG_CONSOLE_TABS plus 16 where they are fewer",
    )  # fmt: skip
    console_tabs: int = row(
        "40", readers.whole(1, 240), "最多同时保持实时连接的控制台页面数（每页占一个线程）；再多的页面每 5 秒自行刷新",
        "Pages of the console with a live connection at once, each of which takes a thread; further ones refresh every 5 s",
    )  # fmt: skip
    workers: int = row("1", readers.whole(1, 32), "拨号工作进程数", "Worker processes that dial")
    calls_per_second: float = row("1", readers.number(0.05, 1000), "每秒最多发起的呼叫数", "Calls started per second at most")
    concurrent_calls: int = row("5", readers.whole(1, 10000), "同时进行的呼叫数上限", "Calls at the same time at most")
    hourly_calls: int = row(
        "1000", readers.whole(1, 1_000_000),
        "新任务任意一小时内最多发起的呼叫数", "Calls that a new campaign starts in any hour at most",
    )  # fmt: skip
    daily_calls: int = row(
        "8000", readers.whole(1, 10_000_000),
        "新任务任意 24 小时内最多发起的呼叫数", "Calls that a new campaign starts in any 24 hours at most",
    )  # fmt: skip
    spend_limit: float = row(
        "0", readers.number(0, 1e9),
        "新任务估算话费的上限，达到即暂缓外呼；0 为不限", "Estimated bill at which a new campaign stops dialling; 0: no limit",
    )  # fmt: skip
    minute_price: float = row(
        "0", readers.number(0, 10_000),
        "每分钟通话的单价，用于估算话费；0 为不估算", "Price of a started minute of talk, for the estimated bill; 0: no estimate",
    )  # fmt: skip
    call_limit_seconds: int = row("900", readers.whole(120, 7200), "单次通话最长秒数", "Longest call in seconds")
    machine_detection: bool = row("yes", readers.yes_no, "是否识别语音信箱", "Detect answering machines: yes or no")
    quarantine_days: int = row(
        "90", readers.none_or_whole(30, 365),
        "同一号码两次调查至少相隔的天数：30–365，演示和测试可为 0",
        "Days between two surveys of one number at least: 30 to 365, in demo and test also 0",
    )  # fmt: skip
    bureau_name: str = row("示范市公安局", readers.name, "话术中报出的单位名称", "Name of the bureau as spoken in prompts")
    bureau_name_en: str = row(
        "Example City Police", readers.name, "单位英文名称", "Name of the bureau in English prompts",
    )  # fmt: skip
    hotline: str = row("12389", readers.name, "通话结束时报出的热线", "Hotline spoken at the end of a call")
    emergency_number: str = row("110", readers.short_number, "话术中报出的紧急电话", "Emergency number spoken in prompts")
    callback_days: int = row(
        "1", readers.whole(1, 30), "人工回电承诺的工作日数", "Working days within which a person calls back",
    )  # fmt: skip
    timezone: str = row("Asia/Shanghai", readers.zone, "单位所在时区（IANA）", "Time zone of the bureau (IANA)")
    special_days: Path | None = row(  # noqa: RUF009
        "", readers.path,
        "节假日与调休 CSV（列 date、kind、name；kind 为 off 或 work），补充或覆盖自带日历，如次年安排",
        "CSV of holidays and make-up days (columns date, kind, name; kind is off or work) over the shipped calendar, e.g. next year's",
    )  # fmt: skip
    phone_regions: tuple[str, ...] = row(
        "CN", readers.regions, "号码所属国家或地区，第一个为默认", "Countries whose numbers are called; the first is assumed",
    )  # fmt: skip
    voice_zh: str = row("Polly.Zhiyu", readers.text, "中文话术的运营商音色", "Carrier's voice for Chinese prompts")
    voice_en: str = row("Polly.Joanna", readers.text, "英文话术的运营商音色", "Carrier's voice for English prompts")
    trusted_proxies: int = row(
        "0", readers.whole(0, 5), "控制台前可信反向代理的层数", "Trusted reverse proxies in front of the console",
    )  # fmt: skip
    console_https: bool = row("no", readers.yes_no, "浏览器是否经 https 访问控制台", "Browsers reach the console by https: yes or no")
    drain_seconds: int = row(
        "120", readers.whole(0, 600),
        "停止服务时等待通话结束的最长秒数（演示为 0）", "Seconds granted to calls in progress when the service stops (none in demo)",
    )  # fmt: skip
    listening: bool = row(
        "yes", readers.yes_no,
        "答题是否也听取语音（须有该语言的语音模型）", "Whether questions are also answered by voice, where there is a model: yes or no",
    )  # fmt: skip
    recogniser: str = row(
        "own", readers.one_of("own", "carrier"),
        "由谁识别语音：own 本机识别，声音不出本单位；carrier 运营商识别，声音和文字经运营商处理，须先经批准",
        "Who recognises speech: own, on this machine, so that nothing leaves the house; carrier, whose machines then hear it all",
    )  # fmt: skip
    media_host: str = row(
        "127.0.0.1", readers.name, "媒体流（通话声音）监听地址", "Address the media server listens on, for the callers' sound"
    )
    media_port: int = row("8802", readers.whole(1, 65535), "媒体流端口", "Port of the media server")
    public_media_url: str = row(
        "", readers.url("ws", "wss"),
        "运营商访问媒体流的公网地址（生产须 wss）；留空用语音门公网地址加 /voice/media",
        "URL at which the carrier reaches the media server (wss in production); empty means the voice door's with /voice/media",
    )  # fmt: skip
    decoders: int = row(
        "2", readers.whole(1, 64), "语音识别进程数（每个处理器核一个）", "Processes that recognise speech: one for each core"
    )
    speech_model_zh: str = row("", readers.text, "中文语音模型文件夹", "Folder of the Chinese speech model")
    speech_model_en: str = row("", readers.text, "英文语音模型文件夹", "Folder of the English speech model")
    second_factor_roles: tuple[str, ...] = row(
        "", readers.roles,
        "必须启用动态口令的角色，逗号分隔，如 administrator,inspection；留空则由各人自定",
        "Roles that must log in with a second factor, comma-separated (administrator,inspection); empty: as each person likes",
    )  # fmt: skip
    operations_token: str = row(
        "", readers.text,
        "从本机以外读取 /metrics 与 /readyz 所需的令牌（Bearer）；留空则仅限本机",
        "Bearer token with which /metrics and /readyz may be read from elsewhere; empty: from this machine only", secret=True,
    )  # fmt: skip
    log_format: str = row("plain", readers.one_of("plain", "json"), "日志格式：plain 或 json", "Log format: plain or json")
    log_level: str = row(
        "info", readers.one_of("debug", "info", "warning", "error"), "日志级别", "Log level: debug, info, warning or error",
    )  # fmt: skip
    clock_file: Path | None = row(  # noqa: RUF009
        "", readers.path,
        "虚拟时钟文件（仅 demo、test）", "File of the virtual clock (demo and test only)",
    )  # fmt: skip
    secret_key: str = row(
        "", readers.text, "登录与表单的密钥，至少 32 个字符", "Key for log-ins and forms, at least 32 characters", secret=True,
    )  # fmt: skip
    pii_keys: str = row(
        "", readers.keys,
        "个人信息密钥环 index:<base64>,k1:<base64>；丢失则数据无法读取",
        "Key ring for personal data, index:<base64>,k1:<base64>; without it the data cannot be read", secret=True,
    )  # fmt: skip
    backup_folder: Path | None = row(  # noqa: RUF009
        "", readers.path, "备份文件夹；留空用数据文件夹中的 backups", "Folder of the backups; empty means `backups` in the data folder",
    )  # fmt: skip
    backup_key: str = row(
        "", readers.backup_key, "加密备份的密钥（32 字节 base64）；留空不另行加密",
        "Key that seals backups (32 bytes in base64); empty means that only what is personal is sealed", secret=True,
    )  # fmt: skip

    @classmethod
    def from_env(cls, environ: Mapping[str, str], dotenv_path: Path | None) -> "Settings":
        """The settings from variables and from a file that the variables override.

        A relative folder means: below the working directory when a variable says so, beside the file otherwise.
        In demo and test, secrets that nobody gave are made once and kept in the data folder.
        Raises SettingsFaulty with every problem there is.
        """
        given, problems = _given(environ, dotenv_path)
        values: dict[str, Any] = {}
        for item in fields(cls):
            try:
                values[item.name] = row_of(item).read(given[variable(item)])
            except ValueError as error:
                problems.append(f"{variable(item)}：{error}")
        if not problems:
            _complete(values)
            found = production.problems(values, dotenv_path)
            problems.extend(f"{PREFIX}{name.upper()}：{problem}" if name else problem for name, problem in found)
        if problems:
            raise SettingsFaulty(tuple(problems))
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """The same settings as variables for a child process."""
        return {variable(item): written(getattr(self, item.name)) for item in fields(self)}


def _given(environ: Mapping[str, str], dotenv_path: Path | None) -> tuple[dict[str, str], list[str]]:
    """Every setting's text, and the names that no setting has. An empty text counts as not given."""
    known = {variable(item): row_of(item).default for item in fields(Settings)}
    beside = dotenv_path.resolve().parent if dotenv_path else ROOT
    from_file = dict(dotenv_values(dotenv_path, interpolate=False)) if dotenv_path and dotenv_path.exists() else {}
    known["HUIFANG_DATA"] = str(beside / (from_file.pop("HUIFANG_DATA", None) or known["HUIFANG_DATA"]))
    problems = []
    for name, value in [*from_file.items(), *environ.items()]:
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            problems.append(_unknown(name, list(known)))
        elif value:
            known[name] = value.strip()
    return known, problems


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint_zh, hint_en = (f"，是否为 {near[0]}？", f"; did you mean {near[0]}?") if near else ("", "")
    return f"{name}：没有这个设置{hint_zh} / there is no such setting{hint_en}"


def _complete(values: dict[str, Any]) -> None:
    """Put in what follows from other settings."""
    values["data"] = values["data"].resolve()
    if values["environment"] != "production":
        _complete_for_show(values)
    values["database_url"] = values["database_url"] or f"sqlite:///{values['data'] / 'huifang.sqlite'}"


def _complete_for_show(values: dict[str, Any]) -> None:
    values["caller_id"] = values["caller_id"] or "+8610055550100"
    values["public_base_url"] = values["public_base_url"] or f"http://127.0.0.1:{values['voice_port']}"
    account = ("twilio_account_sid", "twilio_auth_token")
    missing = [name for name in ("secret_key", "pii_keys") if not values[name]]
    missing += account if not any(values[name] for name in account) else ()
    if missing:
        kept = own_secrets.kept(values["data"])
        values.update({name: kept.get(PREFIX + name.upper(), "") for name in missing})


def _shown() -> list[Field[Any]]:
    """The fields as people read them: those of the house first."""
    work = {item.name for item in fields(CaseworkSettings)}
    return sorted(fields(Settings), key=lambda item: item.name in work)


def env_example() -> str:
    """The text of `.env.example`: every setting with its help, commented out at its default."""
    head = (
        "# Copy to .env and change what differs; then: chmod 600 .env\n"
        "# 由设置表生成，请勿手改 / generated from the tables in config/settings.py and config/casework_settings.py\n"
    )
    rows = ((variable(item), row_of(item)) for item in _shown())
    return head + "".join(f"\n# {one.zh}\n# {one.en}\n#{name}={one.default}\n" for name, one in rows)


def markdown_table(language: str) -> str:
    """The settings as a Markdown table for the README, with the help in `zh` or `en`."""
    titles = ("变量", "默认值", "含义") if language == "zh" else ("Variable", "Default", "Meaning")
    lines = [f"| {' | '.join(titles)} |", "| --- | --- | --- |"]
    for item in _shown():
        one = row_of(item)
        meaning = (one.zh if language == "zh" else one.en).replace("|", "\\|")
        lines.append(f"| `{variable(item)}` | {f'`{one.default}`' if one.default else ''} | {meaning} |")
    return "\n".join(lines) + "\n"
