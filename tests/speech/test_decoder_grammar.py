import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.recogniser import CannotListen
from speech.segmentation import cut, segment
from speech.vosk_recogniser import VoskModel, fed_rate
from tests.speech.spoken import MODELS, PHRASES, said

WORDS = {"满意", "不", "非常", "不太", "太", "很", "满", "意", "一般", "very", "satisfied", "don't"}


def knows(word: str) -> bool:
    return word in WORDS


@pytest.mark.parametrize(
    ("phrase", "language", "words"),
    [("非常不满意", "zh", ("非常", "不", "满意")), ("不太满意", "zh", ("不太", "满意")), ("不太 满意！", "zh", ("不太", "满意")),
     ("不知道", "zh", ()), ("Very, SATISFIED.", "en", ("very", "satisfied")), ("ｖｅｒｙ satisfied", "en", ("very", "satisfied")),
     ("don’t", "en", ("don't",)), ("very happy", "en", ()), ("", "zh", ()), ("？", "zh", ()), (" ", "en", ())],
)  # fmt: skip
def test_a_phrase_is_cut_into_words_that_the_model_knows(phrase: str, language: str, words: tuple[str, ...]) -> None:
    assert segment(phrase, language, knows) == words


@given(st.text("满意不非常太很一般x", max_size=12))
def test_a_cut_loses_and_adds_nothing(phrase: str) -> None:
    words = segment(phrase, "zh", knows)

    assert all(knows(word) for word in words)
    assert "".join(words) in (phrase, "")


def test_unknown_phrases_are_reported_and_equal_ones_stand_once() -> None:
    found = cut(["满意", "满 意", "满意。", "无所谓"], "zh", knows)

    assert (found.phrases, found.dropped) == ((("满意",),), ("无所谓",))


def test_a_grammar_without_a_known_word_is_refused_before_it_can_kill_the_process() -> None:
    model = VoskModel(MODELS["zh"], "zh")

    for phrases in ([], [""], ["hello"], ["[unk]"], ['"]']):
        with pytest.raises(CannotListen):
            model.recogniser(phrases)


def test_a_folder_without_a_model_is_refused(tmp_path: object) -> None:
    with pytest.raises(CannotListen, match="is no model"):
        VoskModel(MODELS["zh"] / "conf", "zh")


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [("zh", "very-satisfied-zh", "非常 满意"), ("zh", "dissatisfied-zh", "不 满意"), ("zh", "four-zh", "四"),
     ("en", "satisfied-en", "satisfied"), ("en", "not-satisfied-en", "not satisfied"), ("en", "three-en", "three")],
)  # fmt: skip
def test_both_shipped_models_hear(language: str, name: str, words: str) -> None:
    recogniser = VoskModel(MODELS[language], language).recogniser(PHRASES[language])

    for _ in range(3):  # one recogniser serves one utterance after the other
        recogniser.feed(said(name))
        heard = recogniser.finish()

        assert " ".join(word.text for word in heard) == words
        assert all(0.3 < word.start < word.end < len(said(name)) / 8000 + 0.1 for word in heard)
        assert all(0.0 <= word.confidence <= 1.0 for word in heard)


def test_no_sound_and_little_sound_are_heard_as_nothing() -> None:
    recogniser = VoskModel(MODELS["en"], "en").recogniser(["yes"])

    assert recogniser.finish() == ()
    recogniser.feed(np.zeros(3, np.int16))
    assert recogniser.finish() == ()


@pytest.mark.parametrize(
    ("conf", "rate"),
    [("--sample-frequency=8000\n", 8000), ("--sample-frequency=16000\n--allow-upsample=true\n", 8000),
     ("--sample-frequency=16000\n--allow-upsample=false\n", 16000), ("--use-energy=false\n", 16000), ("", 16000)],
)  # fmt: skip
def test_a_model_is_fed_at_a_rate_that_it_takes(conf: str, rate: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "conf").mkdir()
    (folder / "conf" / "mfcc.conf").write_text(conf)

    assert fed_rate(folder) == rate


def test_a_model_that_takes_no_8_khz_gets_sound_at_its_own_rate(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = VoskModel(MODELS["en"], "en")
    model.rate = 16000  # this model resamples 16 kHz down by itself

    recogniser = model.recogniser(PHRASES["en"])
    recogniser.feed(said("not-satisfied-en"))

    assert [word.text for word in recogniser.finish()] == ["not", "satisfied"]
