"""`script`: check, rehearse and publish a call script."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from config.wiring import House
from survey import lint, prompts, rehearsal, script_yaml, scripting
from survey import replay as replays
from survey.actions import Action, Hangup, Record, Say, SetDisposition
from survey.errors import NotFound
from survey.events import Digits, Event, HungUp, NoInput, OperatorReady, Recorded, TransferEnded
from survey.fieldwork.replays import stored_calls
from survey.script import TALKING, WAITING, RecordStep, Script
from survey.script_issues import Severity, errors
from survey.store.models import Campaign

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: None}
HELP = (
    "按键回车作答；直接回车＝不出声，h＝挂机；录音时输入文字＝说这些话。"
    " / Type a key and Enter; Enter alone is silence, h hangs up; at the beep, type what you say."
)
AT_DESK: dict[str, Event] = {
    "o": OperatorReady(), "b": TransferEnded("handed_back"), "e": TransferEnded("ended"), "n": TransferEnded("nobody"),
}  # fmt: skip
"""What a key means while an operator is waited for or talked with."""

ReadLine = Callable[[], str | None]


@click.group()
def script() -> None:
    """话术：检查、试演、发布 / Call scripts: check, rehearse, publish."""


@script.command()
@FILE
@click.option("--bureau", default="", help="单位名称，用于估计开场白时长 / name of the bureau, to measure the opening with.")
@click.pass_context
def check(context: click.Context, file: Path, bureau: str) -> None:
    """检查话术并指出位置；有错误时退出码为1 / Check a script; exit status 1 on errors."""
    issues = lint.check(read_text(file), bureau.strip())
    for issue in issues:
        click.secho(f"{file}:{issue}", fg=COLOURS[issue.severity])
    counts = [sum(issue.severity is severity for issue in issues) for severity in Severity]
    click.echo("错误 {} 警告 {} 提示 {} / {} errors, {} warnings, {} hints".format(*counts, *counts))
    if errors(issues):
        context.exit(1)


@script.command()
@FILE
@click.option(
    "--keys", help="依次按下的键：数字 * #，- 不出声，s 说话，h 挂机 / keys in order: digits * #, - silence, s speech, h hang up."
)
@click.option(
    "--operator", "operator_free", is_flag=True,
    help="有值班员在岗：o 接听，b 交还，e 结束，n 无人接 / an operator is free: o answers, b hands back, e ends, n nobody came.",
)  # fmt: skip
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="保存为测试用例 / keep as a test case.")
@click.option(
    "--update",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="重演并改写此目录里的用例 / replay and rewrite the cases there.",
)
@click.pass_obj
def rehearse(house: House, file: Path, keys: str | None, operator_free: bool, save: Path | None, update: Path | None) -> None:
    """在终端里把话术走一遍，与真实通话同一流程 / Play a script in the terminal, by the same flow as a call."""
    played = script_yaml.parse(read_text(file))
    if update:
        return _update(played, file.name, update)
    now = house.clock.now()
    variables = replace(prompts.variables(played, house.bureau, now, house.bureau.zone), callback_time=prompts.sample_time(played.language))
    if keys is None:
        click.echo(HELP)
    read_line = _typed() if keys is None else _given(keys)
    turns = list(_turns(rehearsal.begin(played, operator_free=operator_free), played, variables, read_line))
    if save:
        save.write_text(rehearsal.write_case(file.name, f"rehearsed {now:%Y-%m-%d}", turns, operator_free=operator_free), "utf-8")
        click.echo(f"已保存 / saved: {save}")
    return None


def _update(played: Script, file_name: str, folder: Path) -> None:
    for path in sorted(folder.glob("*.yaml")):
        case = rehearsal.read_case(path)
        if case.script_file == file_name:
            path.write_text(_played_again(played, file_name, case), "utf-8")
            click.echo(path.name)


def _played_again(played: Script, file_name: str, case: rehearsal.Case) -> str:
    turns = rehearsal.play(played, case.events, case.answers, operator_free=case.operator_free)
    return rehearsal.write_case(file_name, case.story, turns, case.answers, operator_free=case.operator_free)


@script.command()
@FILE
@click.option("--by", "name", required=True, help="发布者 / who publishes.")
@click.option("--reason", required=True, help="发布原因 / why.")
@click.pass_obj
def publish(house: House, file: Path, name: str, reason: str) -> None:
    """发布为不可更改的版本 / Publish as an immutable version; the same text is published once."""
    text = read_text(file)
    with house.unit_of_work() as work:
        known = scripting.find(work.session, text)
        version = scripting.publish(work.session, text, name, reason, house.clock.now(), house.audit_key)
    state = "早已发布 / was published before" if known else "已发布 / published"
    click.echo(f"{state}: {version.name} v{version.number} {version.digest[:12]}")


@script.command()
@FILE
@click.option("--campaign", "campaign_id", type=int, required=True, help="任务编号，见 campaign status / number of the campaign.")
@click.pass_obj
def replay(house: House, file: Path, campaign_id: int) -> None:
    """用此话术重演任务已有的通话，看哪些会走向不同 / Replay a campaign's stored calls under FILE: which would go another way."""
    changed = script_yaml.parse(read_text(file))
    with house.sessions() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None:
            raise NotFound(f"没有编号为 {campaign_id} 的任务 / there is no campaign {campaign_id}")
        pinned = script_yaml.parse(campaign.script_version.text)
        ways = replays.ways_under(stored_calls(session, campaign_id), pinned, changed)
    if ways.unlike:
        click.secho(f"与记录不符，未计入 / not as they were stored, left out: {ways.unlike}", fg="yellow")
    click.echo(f"走向相同 / the same way: {ways.same}")
    click.echo(f"走向不同 / another way: {sum(ways.parted.values())}")
    for step, count in sorted(ways.parted.items(), key=lambda each: (-each[1], each[0])):
        click.echo(f"  {step or '（开场 / opening）'}: {count}")


def read_text(file: Path) -> str:
    """The file as UTF-8; what is not UTF-8 is shown as such by the check instead of breaking it."""
    return file.read_bytes().decode("utf-8", "replace")


def _turns(turn: rehearsal.Turn, played: Script, variables: prompts.Variables, read_line: ReadLine) -> Iterator[rehearsal.Turn]:
    while True:
        _show(played, variables, turn.actions)
        yield turn
        if turn.state.ended:
            return
        event = _event(played, turn.state.node, read_line())
        click.secho(f"  < {rehearsal.write_event(event)}", fg="cyan")
        turn = rehearsal.take(played, turn.state, event)


def _show(played: Script, variables: prompts.Variables, actions: tuple[Action, ...]) -> None:
    for action in actions:
        match action:
            case Say(prompt):
                click.echo(f"> {prompts.speak(played, prompt, variables)}")
            case Record():
                click.echo("> （嘀 / beep）")
            case SetDisposition(verdict):
                click.secho(f"  = {verdict.aapor} {verdict.zh} / {verdict.en}", bold=True)
            case Hangup():
                click.echo("> （挂机 / hang up）")
            case _:
                click.secho(f"  . {rehearsal.write_action(action)}", dim=True)


def _event(played: Script, node: str, line: str | None) -> Event:
    """What a typed line means while `node` waits; no line at all is hanging up."""
    if line is None or line in ("h", "H"):
        return HungUp()
    if node in (WAITING, TALKING):
        return AT_DESK.get(line.lower(), NoInput())
    if not _records(played, node):
        return Digits(line) if line else NoInput()
    if line == "" or (len(line) == 1 and line in "0123456789*#"):
        return Recorded("RErehearsal", 0, line or "silence")
    return Recorded("RErehearsal", round(max(1, len(line) / 4.5), 1), played.keys.end_recording)


def _records(played: Script, node: str) -> bool:
    return isinstance(played.question(node), RecordStep)


def _typed() -> ReadLine:
    def read_line() -> str | None:
        line = sys.stdin.readline()
        return line.strip() if line else None

    return read_line


def _given(keys: str) -> ReadLine:
    """Each key of `--keys` as a typed line: `-` is silence, `s` are words for a recording; hangs up when they are used up."""
    left = iter(keys.replace(" ", ""))
    words = {"-": "", "s": "……………………"}

    def read_line() -> str | None:
        key = next(left, None)
        return None if key is None else words.get(key, key)

    return read_line
