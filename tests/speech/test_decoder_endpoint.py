from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech import audio
from speech.endpoint import FRAME, Gate, Heard, Kind, Manners
from tests.speech.spoken import said, silence, tone


def heard(pcm: audio.Pcm, piece: int = 160, manners: Manners | None = None) -> list[Heard]:
    gate = Gate(manners)
    return [event for start in range(0, len(pcm), piece) for event in gate.feed(pcm[start : start + piece])]


def ends(events: list[Heard]) -> list[Heard]:
    return [event for event in events if event.kind is Kind.ENDED]


def test_a_word_between_silences_is_one_utterance_and_ends_a_third_of_a_second_after_it() -> None:
    events = heard(said("three-en"))
    (end,) = ends(events)

    assert 0.2 <= end.began <= 0.5 < end.ended
    total = sum(len(event.sound) for event in events) / 8000
    assert end.began + total == pytest.approx(end.ended + 0.35, abs=0.03)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=40))
def test_the_size_of_the_pieces_changes_nothing(sizes: list[int]) -> None:
    pcm = said("satisfied-en")
    gate, events, start = Gate(), [], 0
    for size in [*sizes, len(pcm)]:
        events += gate.feed(pcm[start : start + size])
        start += size

    assert [(event.kind, event.began, event.ended) for event in events] == [
        (event.kind, event.began, event.ended) for event in heard(pcm, FRAME)
    ]


@pytest.mark.parametrize("snr", [20, 10])
def test_a_noisy_line_has_no_more_utterances_than_a_quiet_one(snr: int) -> None:
    pcm = audio.add_noise(said("very-satisfied-zh", 2.0, 2.0), snr, 3)

    assert len(ends(heard(pcm))) == 1


@pytest.mark.parametrize("pcm", [silence(5), np.full(40000, 20000, np.int16) * 0, audio.add_noise(tone(1000, 0.001), 40, 1)])
def test_where_nobody_speaks_nothing_is_heard(pcm: audio.Pcm) -> None:
    assert heard(pcm) == []


def test_steady_noise_is_learned_and_not_taken_for_speech() -> None:
    noise = (np.random.default_rng(1).standard_normal(8000 * 20) * 500).astype(np.int16)

    assert ends(heard(noise)) == []


def test_noise_that_begins_in_mid_stream_is_at_most_one_utterance() -> None:
    noise = (np.random.default_rng(1).standard_normal(8000 * 20) * 500).astype(np.int16)

    assert len(ends(heard(np.concatenate([silence(2), noise])))) <= 1


def test_who_never_stops_is_cut_every_eight_seconds() -> None:
    babble = np.concatenate([np.concatenate([tone(200, 0.2), silence(0.1)]) for _ in range(100)])

    lengths = [later.began - former.began for former, later in pairwise(ends(heard(np.concatenate([silence(0.5), babble]))))]

    assert lengths
    assert all(7.9 <= length <= 8.5 for length in lengths)


def test_a_click_is_no_utterance() -> None:
    click = np.concatenate([silence(1), tone(900, 0.06), silence(1)])

    assert [event.kind for event in heard(click, manners=Manners(shortest=0.15)) if event.kind is not Kind.SPEECH] == [
        Kind.ONSET,
        Kind.DROPPED,
    ]


def test_lost_sound_moves_the_times() -> None:
    gate = Gate()
    gate.skip(80000)

    (end,) = ends(list(gate.feed(said("three-en"))))
    (plain,) = ends(heard(said("three-en")))
    assert end.began == plain.began + 10


@pytest.mark.parametrize(("snr", "least", "most"), [(40, 30, 60), (20, 15, 25), (10, 8, 15)])
def test_how_far_a_voice_stands_above_the_noise_is_told(snr: float, least: float, most: float) -> None:
    (end,) = ends(heard(audio.add_noise(said("very-satisfied-zh"), snr, 5)))

    assert least < end.over_noise < most
