"""The voices of callees: what they say, how it sounds, and what is on their recordings."""

import io
import wave
from collections import Counter

import numpy as np
import pytest
import requests

from ivr.carrier.simulator import line, voices
from ivr.carrier.simulator.line import Degradation
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.persona import Persona, Press, Speak, Traits
from ivr.carrier.simulator.speaking import MANNERS
from ivr.carrier.simulator.voices import Utterance, Voice, Voices, voice_for
from ivr.carrier.simulator.wording import ABUSES, NO, RATINGS, REASONS, REMARKS, YES
from tests.ivr.simulator.toy import ITEMS, OPENING, REMARK

FEMALE = Voice("cmn+f2", 220, 50)
NOBODY = Voice("no-such-voice", 220, 50)
ENGLISH_SPEED = "One, how quickly the officers came: very satisfied, press 1."


@pytest.fixture
def choir():
    made = Voices()
    yield made
    made.close()


def said(persona, prompt):
    """What the persona says to a prompt, None for keys."""
    return persona.aloud(persona.at_keys(prompt), prompt)


def speaker(number="+8610000000000", seed=1, **traits):
    return Persona(Traits(**{"speaks": "any", "manner": "plain", **traits}), number, seed, 1)


@pytest.mark.parametrize("text", ["非常满意", "不满意", "三"])
def test_chinese_is_spoken_by_every_voice(choir, text):
    lengths = [len(choir.words(text, Voice(name, 220, 50))) / line.RATE for name in voices.CHINESE]

    assert all(0.15 < length < 1.5 for length in lengths)


def test_english_is_spoken_by_every_voice(choir):
    assert all(len(choir.words("very satisfied", Voice(name, 165, 50))) > line.RATE // 2 for name in voices.ENGLISH)


def test_voices_differ_and_each_is_the_same_every_time(choir):
    first = [choir.words("满意", Voice(name, 220, 50)).tobytes() for name in voices.CHINESE]
    again = Voices()
    second = [again.words("满意", Voice(name, 220, 50)).tobytes() for name in voices.CHINESE]
    again.close()

    assert first == second
    assert len(set(first)) == len(first)


def test_a_voice_is_as_loud_as_on_the_telephone_and_has_no_silence_around_it(choir):
    words = np.abs(choir.words("满意", FEMALE).astype(int))

    assert line.SPEECH_PEAK - 1 <= words.max() <= line.SPEECH_PEAK
    assert words[:400].max() > 40


def test_there_is_no_sound_without_a_voice(choir, monkeypatch):
    assert choir.words("满意", NOBODY) is None
    monkeypatch.setattr(voices, "WHEEL", "no_such_wheel")
    assert choir.words("不满意", FEMALE) is None
    assert choir.seconds(Utterance("不满意", FEMALE)) is None


def test_a_program_that_dies_leaves_callees_without_a_voice(choir, tmp_path, monkeypatch):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(1)")
    monkeypatch.setattr(voices, "PROGRAM", broken)

    assert choir.words("满意", FEMALE) is None


def test_what_was_made_is_kept_in_the_folder(tmp_path, monkeypatch):
    first = Voices(folder=tmp_path)
    made = first.words("满意", FEMALE)
    first.close()
    monkeypatch.setattr(voices, "WHEEL", "no_such_wheel")

    kept = Voices(folder=tmp_path).words("满意", FEMALE)

    assert abs(len(kept) - len(made)) < 80
    assert np.corrcoef(kept[:2000], made[:2000])[0, 1] > 0.99


def test_a_sound_file_takes_the_place_of_a_voice(tmp_path):
    tone = (8000 * np.sin(np.arange(16000) / 5)).astype(np.int16)
    file = tmp_path / "tone.wav"
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(16000)
        target.writeframes(tone.tobytes())

    assert len(Voices(sounds={"满意": file}).words("满意", NOBODY)) == pytest.approx(8000, abs=20)


@pytest.mark.parametrize("snr", [20.0, 5.0])
def test_noise_is_as_strong_as_asked_for(choir, snr):
    clean = line.around(choir.words("非常满意", FEMALE), 0.5, 0.5)

    noisy = line.degraded(clean, Degradation(snr_db=snr), "seed")

    speech, noise = clean[4000:-4000].astype(float), (noisy - clean.astype(int))[:4000].astype(float)
    found = 10 * np.log10(np.square(speech).mean() / np.square(noise).mean())
    assert found == pytest.approx(snr, abs=3)
    assert noisy.tobytes() == line.degraded(clean, Degradation(snr_db=snr), "seed").tobytes()
    assert noisy.tobytes() != line.degraded(clean, Degradation(snr_db=snr), "another").tobytes()


def test_a_narrow_line_lets_no_bass_through():
    hum = (8000 * np.sin(2 * np.pi * 100 * np.arange(8000) / 8000)).astype(np.int16)

    assert np.abs(line.degraded(hum, Degradation(is_narrow=True), "s")[1000:-1000]).max() < 800


def test_lost_frames_are_silent():
    tone = np.full(160 * 400, 5000, np.int16)

    heard = line.degraded(tone, Degradation(lost_frames=0.1), "s").reshape(-1, 160)

    assert 0.05 < sum(not frame.any() for frame in heard) / 400 < 0.16


@pytest.mark.parametrize("key", "123456")
@pytest.mark.parametrize(("language", "prompt"), [("zh", ITEMS["speed"]), ("en", ENGLISH_SPEED)])
def test_a_rating_is_said_in_the_language_of_the_question(key, language, prompt):
    wordings = {said(speaker(f"+86100000{number:05d}", ratings={"speed": key}), prompt).utterance.text for number in range(40)}

    assert wordings == set(RATINGS[language][key])
    assert said(speaker(ratings={"speed": key}), prompt).meant == key


def test_numbers_are_said_by_those_who_say_numbers():
    say = said(speaker(manner="numbers", ratings={"speed": "3"}), ITEMS["speed"])

    assert say.utterance.text in ("三", "三号", "选三")
    assert said(speaker(manner="numbers", ratings={"speed": "2"}), ENGLISH_SPEED).utterance.text in ("two", "number two")


@pytest.mark.parametrize(
    ("item", "prompt"),
    [
        ("right_person", OPENING), ("consent", "是否同意责任单位联系您?同意请按1,不要联系请按2。"),
        ("interference", "有没有人事先要求您给好评?没有请按1,有请按2。"), ("discipline", "是否涉及民警打骂?不涉及请按1,涉及请按2。"),
    ],
)  # fmt: skip
def test_yes_and_no_are_said_as_the_question_asks_and_mean_its_keys(item, prompt):
    yes = speaker(right_person=True, consents=True, interfered=True, abused=True)
    no = speaker(right_person=False, consents=False, interfered=False, abused=False)

    said_yes, said_no = said(yes, prompt), said(no, prompt)

    assert said_yes.utterance.text in YES["zh"][item]
    assert said_no.utterance.text in NO["zh"][item]
    no_is_first = item in ("interference", "discipline")
    assert (said_yes.meant, said_no.meant) == (("2", "1") if no_is_first else ("1", "2"))


def test_a_wish_is_said_and_means_itself():
    say = said(speaker(asks_for="never"), OPENING)

    assert (say.meant, say.also_presses) == ("never", "")
    assert "不要" in say.utterance.text


def test_who_is_asked_again_mostly_presses_the_key_and_at_last_always_does():
    people = [speaker(f"+86100000{number:05d}") for number in range(300)]
    times = [[said(person, ITEMS["speed"]) is not None for person in people] for _ in range(3)]

    assert all(times[0])
    assert 0.2 < sum(times[1]) / 300 < 0.4
    assert not any(times[2])


def test_a_share_of_callees_speaks_in_all_manners():
    people = [Persona(Traits(), f"+86100000{number:05d}", 5, 1, speakers=0.4) for number in range(2000)]
    manners = Counter(say.manner for person in people if (say := said(person, ITEMS["speed"])) is not None)

    assert 0.36 < manners.total() / 2000 < 0.44
    assert {manner.name: pytest.approx(manner.weight / 100, abs=0.04) for manner in MANNERS} == {
        name: count / manners.total() for name, count in manners.items()
    }


def test_nobody_speaks_unless_told_to():
    assert said(Persona(Traits(), "+8610000000000", 1, 1), ITEMS["speed"]) is None


def test_the_same_seed_says_the_same():
    both = [
        [said(Persona(Traits(), f"+86100000{number:05d}", 5, 1, speakers=1.0), ITEMS["speed"]) for number in range(200)] for _ in range(2)
    ]

    assert both[0] == both[1]
    other = [said(Persona(Traits(), f"+86100000{number:05d}", 6, 1, speakers=1.0), ITEMS["speed"]) for number in range(200)]
    assert other != both[0]


def test_who_leaves_a_remark_says_a_sentence_that_fits():
    remarks = {Persona(Traits(remark=Speak(9.0)), f"+86100000{number:05d}", 1, 1).at_recording(REMARK, "#1") for number in range(400)}
    abused = Persona(Traits(abused=True, reason=Speak(14.0)), "+8610000000031", 1, 1)

    assert {remark.text for remark in remarks} == set(REMARKS["zh"])
    assert abused.at_recording("哪里不满意,请说。", "#1").text in ABUSES["zh"]
    assert Persona(Traits(), "+8610000000028", 1, 1).at_recording("What was wrong? Tell us the reason.", "#1").text in REASONS["en"]


def test_a_sentence_is_said_within_its_time(choir):
    for language, voice in (("zh", voice_for("zh", 0.5)), ("en", voice_for("en", 0.5))):
        for sentence in (*REMARKS[language], *REASONS[language]):
            assert len(choir.words(sentence, voice)) / line.RATE < 9.0


def samples(exchange, recording):
    auth = (exchange.account.sid, exchange.account.auth_token)
    reply = requests.get(f"{recording.url}.wav", auth=auth, timeout=10)
    with wave.open(io.BytesIO(reply.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_recording_holds_what_was_said(story, exchange):
    recording = story("40").recordings[0]

    sound = samples(exchange, recording)

    words = exchange.media.voices.words(recording.text, recording.voice)
    assert len(sound) == recording.seconds * 8000
    assert np.corrcoef(sound[: len(words)], words)[0, 1] > 0.99
    assert np.abs(sound[len(words) + 100 :]).max() < 100
    assert exchange.journal()[0]["recordings"][0]["text"] == recording.text in REMARKS["zh"]


def test_without_a_voice_a_recording_murmurs(story, exchange, monkeypatch):
    monkeypatch.setattr(voices, "WHEEL", "no_such_wheel")

    recording = story("40").recordings[0]

    assert np.abs(samples(exchange, recording)).max() > 1000


def test_who_speaks_is_set_by_its_route(exchange):
    url = f"{exchange.base_url}/simulator/speech"

    told = requests.post(url, json={"share": 0.5, "patience_seconds": 0.2, "line": {"snr_db": 20}}, timeout=5).json()

    assert told == {"share": 0.5, "patience_seconds": 0.2, "skips_silence": True}
    assert exchange.media.speech == Speech(share=0.5, patience_seconds=0.2, line=Degradation(snr_db=20))
    assert requests.post(url, json={"loudness": 3}, timeout=5).status_code == 400


def test_a_press_without_words_for_it_stays_a_press():
    persona = speaker()
    persona.at_keys("随便按一个键。")

    assert persona.aloud(Press("5"), "随便按一个键。") is None


def asked_back(words, key):
    return f"我听到的是“{words}”。是,请按{key};不是,请按您要选的键。"


@pytest.mark.parametrize(("heard", "key"), [("不满意", "4"), ("满意", "2"), ("非常不满意", "5")])
def test_who_is_asked_back_presses_the_key_of_what_was_meant(heard, key):
    person = speaker(ratings={"speed": "4"})
    said(person, ITEMS["speed"])

    press = person.at_keys(asked_back(heard, key))

    assert (press.keys, press.intent, person.item) == ("4", "answer", "speed")


def answers_aloud(prompt, heard, key, **traits):
    """What some of many people say when they are asked back: text -> meant."""
    people = [speaker(f"+86100000{number:05d}", **traits) for number in range(60)]
    for person in people:
        said(person, prompt)
    return {say.utterance.text: say.meant for person in people if (say := said(person, asked_back(heard, key))) is not None}


def test_who_answers_aloud_when_asked_back_compares_what_was_heard_with_what_was_meant():
    assert answers_aloud(ITEMS["speed"], "不满意", "4", ratings={"speed": "4"}) == {"对": "4", "是的": "4"}
    assert answers_aloud(ITEMS["speed"], "满意", "2", ratings={"speed": "4"}) == {"不对": "not right", "不是": "not right"}


def test_asked_back_about_yes_and_no_compares_that():
    question = "有没有人事先要求您给好评?没有请按1,有请按2。"

    assert set(answers_aloud(question, "没有", "1", interfered=False).values()) == {"1"}
    assert set(answers_aloud(question, "有", "2", interfered=False).values()) == {"not right"}


def test_a_wish_that_is_asked_back_is_pressed():
    person = speaker(asks_for="never")
    said(person, OPENING)

    assert person.at_keys(asked_back("今后不再接听", "0")).keys == "0"


def test_a_doubt_in_english_is_understood():
    person = speaker(ratings={"speed": "2"})
    said(person, ENGLISH_SPEED)

    assert person.at_keys("I heard “dissatisfied”. If that is right, press 4. If not, press the key that you want.").keys == "2"
