"""The carrier's words, walked table by table."""

import pytest

from ivr.voice import call_status
from ivr.voice.call_status import UnknownWord
from survey import ladder


@pytest.mark.parametrize(("word", "rung"), call_status.LADDER.items())
def test_every_status_word_stands_on_our_ladder(word, rung):
    assert call_status.ladder_status(word) == rung
    assert rung in ladder.RANKS


def test_answered_and_in_progress_are_one_rung():
    assert call_status.ladder_status("answered") == call_status.ladder_status("in-progress") == "in_progress"


@pytest.mark.parametrize("word", ["", "Completed", "in_progress", "no answer", "exploded"])
def test_an_unknown_status_is_an_error_that_names_it(word):
    with pytest.raises(UnknownWord, match=f"CallStatus={word!r}"):
        call_status.ladder_status(word)


@pytest.mark.parametrize("word", ["machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"])
def test_all_machines_are_machines(word):
    assert call_status.answerer(word) == "machine"


def test_who_cannot_be_told_from_a_person_is_not_a_machine():
    assert call_status.answerer("unknown") == "unknown"


def test_an_unknown_answerer_is_an_error_that_names_it():
    with pytest.raises(UnknownWord, match="AnsweredBy='parrot'"):
        call_status.answerer("parrot")


def test_an_endless_unknown_word_is_cut_in_the_message():
    with pytest.raises(UnknownWord) as caught:
        call_status.recording_status("x" * 10_000)

    assert len(str(caught.value)) < 200
