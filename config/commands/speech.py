"""`speech`: put a model in place, and try what it hears."""

import sys
from pathlib import Path

import click

from config.speech_models import LANGUAGES, TRIALS, chosen, folder_of_models
from config.wiring import House
from speech.audio import NotSound
from speech.installation import PUBLISHED, NotInstalled, Source
from speech.installation import install as put_in_place
from speech.transcript import Transcript
from speech.transcription import TranscriptionFailed, transcribe
from survey.errors import BadInput, NotAllowed, NotFound

LANGUAGE = click.Choice(LANGUAGES)
_SECONDS, _MEMORY = 600.0, 12 * 1024**3
_STEP = 5_000_000


@click.group()
def speech() -> None:
    """语音模型：安装、试听 / Speech models: install one, try it on a recording."""


@speech.command()
@click.argument("language", type=LANGUAGE)
@click.option("--from", "place", help="压缩包、文件夹或网址，默认从发布者下载 / archive, folder or URL; default: the publisher's.")
@click.option("--sha256", default="", help="压缩包的 SHA-256 / of the archive.")
@click.pass_obj
def install(house: House, language: str, place: str | None, sha256: str) -> None:
    """安装语音模型，试用成功后才启用，可断点续传 / Install a model; it is used once a trial has succeeded."""
    published = PUBLISHED[language]
    source = Source(place, sha256) if place else Source(published.place, sha256 or published.sha256)
    click.echo(f"来源 / from: {source.place}")
    folder = folder_of_models(house.settings) / language
    try:
        placed = put_in_place(folder, language, source, TRIALS[language].read_bytes(), tell=_say, progress=_Progress().show)
    except NotInstalled as problem:
        raise NotAllowed(str(problem)) from problem
    click.echo(f"已启用 / in use: {placed}")
    click.echo("正在运行的进程重启后使用新模型 / running processes use it after a restart: ./huifang restart")


@speech.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--language", type=LANGUAGE, default="zh", show_default=True, help="语言 / language.")
@click.pass_obj
def listen(house: House, file: Path, language: str) -> None:
    """识别一个 WAV 文件并列出词语 / Print the words of a WAV file with their times and confidences."""
    choice = chosen(house.settings).get(language)
    if choice is None:
        raise NotFound(f"没有 {language} 的语音模型，请运行 ./huifang speech install {language} / there is no model for {language}")
    click.echo(f"模型 / model: {choice.folder}")
    try:
        heard = transcribe(file.read_bytes(), language, choice.folder, _SECONDS, _MEMORY)
    except OSError as problem:
        raise NotFound(f"无法读取 {file} / cannot be read: {problem.strerror}") from problem
    except NotSound as problem:
        raise BadInput(f"{file} 不是可用的 WAV 文件 / is no WAV file that can be used: {problem}") from problem
    except TranscriptionFailed as problem:
        raise NotAllowed(str(problem)) from problem
    click.echo(told(heard, " " if language == "en" else ""))


def told(heard: Transcript, between: str) -> str:
    """What was heard, as lines: each word with its seconds and its confidence, then all of them."""
    if not heard.words:
        return "没有听到词语 / no word was heard"
    lines = [f"{word.start:7.2f} {word.end:7.2f}  {word.confidence:4.2f}  {word.text}" for word in heard.words]
    return "\n".join([*lines, f"文字 / text: {between.join(word.text for word in heard.words)}"])


def _say(sentence: str) -> None:
    click.echo(f"· {sentence}")


class _Progress:
    """Tells how much is loaded: in place on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._next = 0

    def show(self, done: int, total: int) -> None:
        """Called after each piece."""
        whole = f" / {total / 1e6:.1f}" if total else ""
        if sys.stderr.isatty():
            click.echo(f"\r下载 / loaded {done / 1e6:.1f}{whole} MB", nl=bool(total) and done >= total, err=True)
        elif done >= self._next:
            self._next = done + _STEP
            click.echo(f"下载 / loaded {done / 1e6:.1f}{whole} MB", err=True)
