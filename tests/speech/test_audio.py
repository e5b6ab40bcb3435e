import io

import numpy as np
import pytest
import soundfile

from speech import audio
from speech.audio import NotSound
from tests.speech.spoken import rms, tone


def file(pcm: audio.Pcm, rate: int, subtype: str = "PCM_16", kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, pcm, rate, subtype=subtype, format=kind)
    return stream.getvalue()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "ULAW", "ALAW"])
def test_every_kind_that_a_telephone_writes_is_read(subtype: str) -> None:
    pcm = tone(440, 0.5)

    found = audio.decode_wav(file(pcm, 8000, subtype))

    assert (found.rate, found.seconds) == (8000, 0.5)
    assert rms(found.pcm - pcm) < 0.03 * rms(pcm)


def test_two_channels_become_one() -> None:
    both = np.column_stack([tone(440, 0.1), np.zeros(800, np.int16)])

    assert np.abs(audio.decode_wav(file(both, 8000)).pcm - both[:, 0] / 2).max() <= 1


@pytest.mark.parametrize(
    "data",
    [b"", b"abc", b"RIFF\x00\x00\x00\x00WAVE", file(tone(440, 0.1), 8000, kind="FLAC"), file(tone(440, 0.1), 8000, "FLOAT"),
     file(np.empty(0, np.int16), 8000), file(tone(440, 0.1), 999)],
)  # fmt: skip
def test_what_is_no_sound_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(NotSound, match=r"\w+"):
        audio.decode_wav(data)


def test_too_long_and_too_large_files_are_refused() -> None:
    with pytest.raises(NotSound, match="longer than 600 s"):
        audio.decode_wav(file(np.zeros(8000 * 601, np.int16), 8000, "ULAW"))
    with pytest.raises(NotSound, match="larger than 64 MB"):
        audio.decode_wav(bytes(audio.LARGEST_BYTES + 1))


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
def test_a_file_is_as_long_as_the_samples_that_are_there(subtype: str) -> None:
    whole = file(tone(440, 1.0), 8000, subtype)

    assert audio.inspect_wav(whole).seconds == 1.0
    assert audio.inspect_wav(whole[: len(whole) // 2]).seconds < 0.6
    assert audio.inspect_wav(whole).sample_bytes == {"PCM_16": 2, "ULAW": 1}[subtype]


def test_a_written_file_reads_back() -> None:
    pcm = tone(300, 0.2)

    assert np.array_equal(audio.decode_wav(audio.wav_bytes(pcm, 8000)).pcm, pcm)


def test_mulaw_keeps_its_own_values_and_comes_near_all_others() -> None:
    own = audio.mulaw_to_pcm(bytes(range(256)))
    pcm = np.arange(-32768, 32768).astype(np.int16)

    assert np.array_equal(audio.mulaw_to_pcm(audio.pcm_to_mulaw(own)), own)
    assert audio.mulaw_to_pcm(b"\xff\x7f\x80\x00").tolist() == [0, 0, 32124, -32124]
    error = np.abs(audio.mulaw_to_pcm(audio.pcm_to_mulaw(pcm)).astype(int) - pcm)
    assert np.all(error <= np.maximum(np.abs(pcm.astype(int)) / 30 + 4, 644 * (np.abs(pcm.astype(int)) > 32000)))


@pytest.mark.parametrize("to_rate", [16000, 11025, 44100, 8000])
def test_a_tone_stays_itself_at_another_rate(to_rate: int) -> None:
    found = audio.resample(tone(1000, 1.0), 8000, to_rate)

    assert len(found) == to_rate
    assert np.abs(found - tone(1000, 1.0, to_rate))[200:-200].max() < 4


def test_what_a_lower_rate_cannot_hold_does_not_come_back_as_another_tone() -> None:
    assert rms(audio.resample(tone(5000, 1.0, 16000), 16000, 8000)[200:-200]) < 10
    assert rms(audio.resample(tone(3000, 1.0, 16000), 16000, 8000)[200:-200]) == pytest.approx(8000 / 2**0.5, rel=0.01)


def test_pieces_give_what_the_whole_gives() -> None:
    pcm = tone(700, 0.5)
    resampler = audio.Resampler(8000, 16000)

    pieces = [resampler.feed(pcm[start : start + 333]) for start in range(0, len(pcm), 333)] + [resampler.finish()]

    assert np.array_equal(np.concatenate(pieces)[:8000], audio.resample(pcm, 8000, 16000))


def test_a_line_passes_speech_and_nothing_below_or_above() -> None:
    kept = {hertz: rms(audio.band_limit(tone(hertz, 1.0), 8000)) / rms(tone(hertz, 1.0)) for hertz in (100, 1000, 3000, 3800)}

    assert kept == pytest.approx({100: 0.0, 1000: 1.0, 3000: 1.0, 3800: 0.0}, abs=0.02)


def test_noise_is_as_strong_as_asked_for_and_the_same_for_the_same_seed() -> None:
    speech = np.concatenate([np.zeros(8000, np.int16), tone(500, 1.0), np.zeros(8000, np.int16)])

    noisy = audio.add_noise(speech, 10, 7)

    assert np.array_equal(noisy, audio.add_noise(speech, 10, 7))
    assert rms(tone(500, 1.0)) / rms(noisy[:8000]) == pytest.approx(10**0.5, rel=0.05)
