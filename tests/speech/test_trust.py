"""How far a model is believed: in noise less, and never so far that a satisfied person becomes a dissatisfied one."""

import shutil
from pathlib import Path

import pytest

from speech.recogniser import CannotListen, Trust
from speech.vosk_recogniser import VoskModel, trust_in
from tests.benchmarks import speech as benchmark
from tests.speech.spoken import MODELS

ACCEPT, CONFIRM = 0.80, 0.55


@pytest.mark.parametrize(("over_noise", "factor"), [(60, 1.0), (24, 1.0), (23.9, 0.75), (8, 0.75), (7.9, 0.5), (-3, 0.5)])
def test_words_in_noise_are_believed_less(over_noise: float, factor: float) -> None:
    assert Trust().factor(over_noise) == factor


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_small_model_hears_in_noise_is_asked_back_however_sure_it_is(language: str) -> None:
    trust = trust_in(MODELS[language])

    assert CONFIRM <= trust.factor(30) < ACCEPT <= trust.factor(33) < 1.0
    assert trust.factor(3) < CONFIRM


def test_a_model_without_the_file_is_believed_as_it_is(tmp_path: Path) -> None:
    assert trust_in(tmp_path) == Trust()


@pytest.mark.parametrize("text", ["{", "[1]", '{"mostly": 0.9}', '{"most": "much"}', '{"most": null}'])
def test_a_file_that_cannot_be_read_refuses_the_model_and_names_the_file(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODELS["en"], folder)
    (folder / "trust.json").write_text(text)

    with pytest.raises(CannotListen, match=r"trust\.json"):
        VoskModel(folder, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_recording_of_a_person_is_swapped_on_any_line_at_the_shipped_thresholds(language: str, shared: Path) -> None:
    found = benchmark.samples(shared / "speech_samples", language)

    assert found
    assert benchmark.answers(VoskModel(MODELS[language], language), language, found, show=True) == 0
