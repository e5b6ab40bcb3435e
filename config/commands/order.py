"""`order`: the template by which orders become documents."""

from pathlib import Path

import click

from survey.errors import NotAllowed
from survey.paper import letterhead
from survey.paper import template as templates


@click.group()
def order() -> None:
    """交办单 / Orders to the units."""


@order.group()
def template() -> None:
    """交办单模板：检查、列出字段、另存自带模板 / The template of the order: check it, list its fields, begin from the shipped one."""


@template.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """检查模板并指出位置；有错误时退出码为1 / Check a template and name the places; exit status 1 on errors."""
    faults = templates.check(templates.read(file))
    for fault in faults:
        click.secho(f"{file}: {fault}", fg="red")
    if faults:
        context.exit(1)
    click.echo(f"{file}: 可以使用；请将 HUIFANG_ORDER_TEMPLATE 指向它 / it can be used; name it by HUIFANG_ORDER_TEMPLATE")


@template.command()
def fields() -> None:
    """模板可用的字段 / The fields that a template may use."""
    for name, (zh, en) in templates.FIELDS.items():
        click.echo(f"{{{{ {name} }}}}\t{zh} / {en}")


@template.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="语言 / language.")
def new(file: Path, language: str) -> None:
    """另存自带模板，供 WPS 或 Word 修改 / Write the shipped template to a new file, to be edited in WPS or Word."""
    try:
        with file.open("xb") as stream:
            stream.write(letterhead.shipped(language))
    except FileExistsError:
        raise NotAllowed(f"{file} 已存在，未覆盖 / {file} exists and was left as it is") from None
    except OSError as error:
        raise NotAllowed(f"无法写入 {file}：{error.strerror} / {file} cannot be written") from error
    click.echo(str(file))
