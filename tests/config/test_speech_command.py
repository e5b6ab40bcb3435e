"""`speech install`, `speech test`, and which model is used where."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.cli import main
from config.doctor import examine
from config.findings import GOOD, WARNING, WRONG, Finding
from config.settings import Settings
from config.speech_models import LANGUAGES, SHIPPED, TRIALS, Origin, chosen, models
from config.wiring import House


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"HUIFANG_DATA": str(tmp_path / "data")}, None)


@pytest.fixture
def production(settings: Settings) -> Settings:
    return replace(settings, environment="production")


def run(settings: Settings, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["speech", *map(str, arguments)], obj=House(settings))


def findings(settings: Settings, language: str) -> list[Finding]:
    return [finding for finding in examine(House(settings)) if finding.subject == f"speech {language}"]


@pytest.mark.parametrize(("language", "text"), [("zh", "非常满意"), ("en", "not satisfied")])
def test_a_recording_is_heard_with_the_model_that_ships(settings: Settings, language: str, text: str) -> None:
    result = run(settings, "test", TRIALS[language], "--language", language)

    assert result.exit_code == 0, result.output
    assert f"文字 / text: {text}" in result.output
    assert str(SHIPPED[language]) in result.output


def test_what_cannot_be_heard_is_one_sentence(settings: Settings, production: Settings, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")

    for result, words in (
        (run(settings, "test", tmp_path / "text.wav"), "is no WAV file"),
        (run(settings, "test", tmp_path / "nowhere.wav"), "cannot be read"),
        (run(production, "test", TRIALS["zh"]), "./huifang speech install zh"),
        (run(settings, "install", "zh", "--from", tmp_path / "nowhere.zip"), "there is no file"),
        (run(settings, "install", "zh", "--from", tmp_path / "text.wav"), "is no whole archive"),
    ):
        assert result.exit_code == 1
        assert words in result.output
        assert isinstance(result.exception, SystemExit)


def test_an_installed_model_comes_before_the_setting_and_that_before_what_ships(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED["en"], tmp_path / "named")
    named = replace(settings, speech_model_en=str(tmp_path / "named"))

    assert models(settings) == dict(SHIPPED)
    assert chosen(named)["en"].origin is Origin.NAMED
    assert run(named, "install", "en", "--from", SHIPPED["en"]).exit_code == 0
    assert chosen(named)["en"].origin is Origin.INSTALLED
    assert models(named)["en"].is_relative_to(settings.data)


def test_production_uses_the_small_models_only_when_they_are_named(production: Settings) -> None:
    assert models(production) == {}
    assert models(replace(production, speech_model_zh=str(SHIPPED["zh"]))) == {"zh": SHIPPED["zh"]}


def test_a_folder_that_is_not_there_gives_no_model(settings: Settings) -> None:
    assert models(replace(settings, speech_model_zh="/nowhere")) == {"en": SHIPPED["en"]}
    assert [finding.mark for finding in findings(replace(settings, speech_model_zh="/nowhere"), "zh")] == [WRONG]


@pytest.mark.parametrize("language", LANGUAGES)
def test_doctor_says_what_each_model_is_good_for(settings: Settings, production: Settings, language: str) -> None:
    (shipped,) = findings(settings, language)
    (missing,) = findings(production, language)
    (named,) = findings(replace(production, **{f"speech_model_{language}": str(SHIPPED[language])}), language)

    assert (shipped.mark, missing.mark, named.mark) == (GOOD, WARNING, WARNING)
    assert "synthetic callees only" in shipped.text
    assert "keys alone" in missing.text
    assert "synthetic callees only" in named.text
    assert missing.remedy == named.remedy == f"./huifang speech install {language}"


def test_a_copy_of_a_small_model_is_known_for_one(production: Settings) -> None:
    assert run(production, "install", "zh", "--from", SHIPPED["zh"]).exit_code == 0

    assert [finding.mark for finding in findings(production, "zh")] == [WARNING]
