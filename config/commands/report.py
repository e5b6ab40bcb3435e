"""`report`: the month's sheet, on the terminal or as a file."""

from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy.orm import Session

from config.wiring import House
from survey import reporting
from survey.errors import NotFound
from survey.report import Sheet
from survey.sheet import csv, html, text, xlsx
from survey.store.database import reading
from survey.store.models import Campaign


def _write_text(sheet: Sheet, path: Path, language: str) -> None:
    path.write_text(text.render(sheet, language), "utf-8")


def _write_csv(sheet: Sheet, path: Path, language: str) -> None:
    with path.open("w", encoding=csv.ENCODING, newline="") as stream:
        csv.render(sheet, stream, language)


def _write_xlsx(sheet: Sheet, path: Path, language: str) -> None:
    with path.open("wb") as stream:
        xlsx.render(sheet, stream, language)


def _write_html(sheet: Sheet, path: Path, language: str) -> None:
    path.write_text(html.render(sheet, language), "utf-8")


WRITERS: dict[str, tuple[str, Callable[[Sheet, Path, str], None]]] = {
    "text": ("txt", _write_text), "csv": ("csv", _write_csv), "xlsx": ("xlsx", _write_xlsx), "html": ("html", _write_html),
}  # fmt: skip


@click.command()
@click.option("--month", help="月份 / month, YYYY-MM.")
@click.option("--campaign", "campaign_id", type=int, help="只看这一个任务 / this campaign alone.")
@click.option("--format", "form", type=click.Choice(list(WRITERS)), default="text", show_default=True, help="格式 / form.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="语言 / language.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="存放文件夹 / folder for the file; text goes to the terminal without it.",
)
@click.pass_obj
def report(house: House, month: str | None, campaign_id: int | None, form: str, language: str, out: Path | None) -> None:
    """月度《警情处置情况考核表》 / The month's assessment of how incidents were handled."""
    if bool(month) == bool(campaign_id):
        raise click.UsageError("请给出 --month 或 --campaign 其中之一 / give either --month or --campaign")
    with Session(reading(house.engine)) as session:
        sheet = _sheet(session, house, month, campaign_id)
    if form == "text" and out is None:
        click.echo(text.render(sheet, language), nl=False)
        return
    click.echo(write(sheet, out or Path("."), form, language))


def _sheet(session: Session, house: House, month: str | None, campaign_id: int | None) -> Sheet:
    if month:
        return reporting.build_sheet(session, month, house.bureau, house.clock.now())
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound(f"没有编号为 {campaign_id} 的任务 / there is no campaign {campaign_id}")
    return reporting.build_campaign_sheet(session, campaign, house.bureau, house.clock.now())


def write(sheet: Sheet, folder: Path, form: str, language: str) -> Path:
    """Write the sheet into `folder` in one of the WRITERS' forms and give the file's path. Its name holds no personal data."""
    suffix, put = WRITERS[form]
    folder.mkdir(parents=True, exist_ok=True)
    mark = "-simulated" if sheet.head.simulated else ""
    path = folder / f"report-{sheet.head.month}{mark}-{language}.{suffix}"
    put(sheet, path, language)
    return path
