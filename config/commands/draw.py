"""`draw`: the month's random sample."""

import secrets

import click
from sqlalchemy.orm import Session

from config.wiring import House
from survey import drawing
from survey.eligibility import Exclusion
from survey.errors import BadInput, NotFound
from survey.sampling import SampleTooSmall
from survey.store.models import Draw
from survey.store.queries import incidents as queries


@click.command()
@click.option("--month", required=True, help="月份 / month, YYYY-MM.")
@click.option("--size", type=click.IntRange(min=1), default=drawing.USUAL_SIZE, show_default=True, help="样本量 / size of the sample.")
@click.option("--all", "everybody", is_flag=True, help="全部回访，不抽样 / every eligible incident instead of a sample.")
@click.option(
    "--minimum", type=click.IntRange(min=1), help="每单位最少件数，默认 20 / least per unit [default: 20, fewer if the size is small]."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="随机种子，默认新取 / seed of chance [default: a fresh one].")
@click.option("--check", is_flag=True, help="按已存的参数重抽并比对 / draw again from what is kept and compare.")
@click.option("--void", metavar="REASON", help="注明原因作废当月样本 / declare the month's draw void.")
@click.pass_obj
def draw(
    house: House, month: str, size: int, everybody: bool, minimum: int | None, seed: int | None, check: bool, void: str | None
) -> None:
    """抽取当月样本 / Draw the month's sample; what is drawn cannot be edited, only voided."""
    if check:
        _check(house, month)
    elif void is not None:
        _void(house, month, void)
    else:
        chosen = secrets.randbelow(2**31) if seed is None else seed
        with house.unit_of_work() as work:
            made = _draw(house, work.session, month, None if everybody else size, minimum, chosen)
            text = told(made, {unit.code: unit.name for unit in queries.units(work.session)})
        click.echo(text)


def _draw(house: House, session: Session, month: str, size: int | None, minimum: int | None, seed: int) -> Draw:
    try:
        return drawing.draw_sample(
            session, month, size, minimum, seed, house.clock.now(), house.bureau.zone,
            audit_key=house.audit_key, actor="cli", quarantine_days=house.settings.quarantine_days,
        )  # fmt: skip
    except SampleTooSmall as small:
        raise BadInput(f"--size：{small}") from small


def told(made: Draw, names: dict[str, str]) -> str:
    """A draw's accounts as lines for a person: they add up to the month's incidents."""
    drawn = sum(stratum["drawn"] for stratum in made.allocation)
    lines = [f"{made.month} 第 {made.id} 号样本 / draw {made.id}", f"{made.incident_count:>9}  警情 / incidents of the month"]
    lines += [f"{-made.exclusions[e.word]:>9}  {e.zh} / {e.en}" for e in Exclusion if made.exclusions.get(e.word)]
    lines += [f"{made.frame_count:>9}  抽样框 / frame", f"{drawn:>9}  抽中 / drawn", "", "  框 frame  抽 drawn  单位 unit"]
    lines += [f"{s['frame']:>10}{s['drawn']:>10}  {names.get(s['unit'], '')} {s['unit']}" for s in made.allocation]
    lines += ["", f"每单位最少 / minimum {made.minimum}，种子 / seed {made.seed}，批次 / replicates {made.replicates}"]
    lines.append(f"抽样框摘要 / frame digest {made.frame_digest}")
    return "\n".join(lines)


def _check(house: House, month: str) -> None:
    with house.unit_of_work() as work:
        found = drawing.redraw(work.session, _standing(work.session, month))
    if not found.identical:
        raise click.ClickException("重抽结果不同 / drawing again gave another sample:\n" + "\n".join(found.differences))
    click.echo("重抽结果完全一致 / drawing again gives the identical sample")


def _void(house: House, month: str, reason: str) -> None:
    with house.unit_of_work() as work:
        standing = _standing(work.session, month)
        drawing.void_draw(work.session, standing, reason, house.clock.now(), audit_key=house.audit_key, actor="cli")
        click.echo(f"第 {standing.id} 号样本已作废 / draw {standing.id} is void")


def _standing(session: Session, month: str) -> Draw:
    found = queries.valid_draw(session, month)
    if found is None:
        raise NotFound(f"{month} 还没有抽样 / {month} has no draw")
    return found
