"""Holds everything that the demonstration has stored against the carrier's journal, and prints it, by language where people spoke."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import witness
from config.conductor import RemoteExchange
from config.demo_round import say
from config.wiring import House
from survey.store.models import Answer, CallAttempt, Hearing, Recording, ScriptVersion

JOURNAL = "carrier-journal.json"
"""What the simulated carrier saw of every call: with it and `export`, anyone can check the answers."""

LANGUAGES = {"zh": "中文 / Chinese", "en": "英语 / English"}


@dataclass(frozen=True)
class Kept:
    """What the tables hold of all campaigns.

    `language_of` is the language of each of the carrier's calls, `placed` how many of them we asked for, `heard` what became of
    utterances, by language, `recordings` how many there are in each state.
    """

    language_of: Mapping[str, str]
    placed: int
    answers: Sequence[witness.StoredAnswer]
    heard: Mapping[str, Counter[str]]
    recordings: Mapping[str, int]


def check(house: House, exchange: RemoteExchange) -> bool:
    """Hold the stored answers of all campaigns against the carrier's journal; True when all is right."""
    journal = exchange.journal()
    (house.data / JOURNAL).write_text(json.dumps(journal, ensure_ascii=False, indent=1), "utf-8")
    with house.sessions() as session:
        kept = read(session)
    verdict = witness.compare(journal, kept.answers)
    seen = sum(map(witness.is_ours, journal))
    say(
        f"5 核对 / check      答案与按键一致 / answers equal to keys {verdict.equal}，不同 / different {len(verdict.different)}，"
        f"丢失 / lost {len(verdict.lost)}，多出 / invented {len(verdict.invented)}，重复振铃 / rung twice {len(verdict.rung_twice)}"
    )
    for language in sorted(set(kept.language_of.values()), key=list(LANGUAGES).index):
        tell_language(language, journal, kept)
    recordings = ", ".join(f"{state} {count}" for state, count in sorted(kept.recordings.items())) or "0"
    say(f"                    呼叫 / calls {kept.placed}，运营商记录 / carrier's own count {seen}")
    say(f"                    群众回拨 / calls of people to us {len(journal) - seen}")
    say(f"                    录音 / recordings: {recordings}")
    problems = [(call["sid"], problem) for call in journal for problem in call["problems"]]
    for sid, problem in problems:
        say(f"                    {sid}: {problem}")
    return verdict.is_clean and kept.placed == seen and not problems


def read(session: Session) -> Kept:
    """What was stored in all campaigns."""
    sid = CallAttempt.carrier_sid
    spoken = select(sid, ScriptVersion.language).join(ScriptVersion, ScriptVersion.id == CallAttempt.script_version_id)
    given = select(sid, Answer.item, Answer.raw, Answer.mode, Answer.code).join(Answer, Answer.attempt_id == CallAttempt.id)
    heard: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for language, outcome in session.execute(select(Hearing.language, Hearing.outcome)):
        heard[short(language)][outcome] += 1
    return Kept(
        {row[0] or "": short(row[1]) for row in session.execute(spoken.where(sid.is_not(None)))},
        session.scalars(select(func.count(sid)).where(CallAttempt.requested_at.is_not(None))).one(),
        [witness.StoredAnswer(row[0] or "", *row[1:]) for row in session.execute(given)],
        heard,
        Counter(session.scalars(select(Recording.state))),
    )


def short(language: str) -> str:
    """`zh` of `zh-CN`."""
    return language.partition("-")[0]


def tell_language(language: str, journal: Sequence[Mapping[str, Any]], kept: Kept) -> None:
    """Print for the calls in one language how people answered, and how well those who spoke were understood."""
    calls = [call for call in journal if kept.language_of.get(call["sid"]) == language]
    answers = [answer for answer in kept.answers if kept.language_of.get(answer.call_sid) == language]
    verdict, modes = witness.compare(calls, answers), Counter(answer.mode for answer in answers)
    say(
        f"                    {LANGUAGES[language]}：按键 / by keys {modes['keys']}，语音 / by voice {modes['speech']}："
        f"评分与所说一致 / ratings equal to what was said {verdict.spoken}，听错 / misheard {len(verdict.misheard)}"
    )
    if heard := kept.heard.get(language):
        say(
            f"                    听到 / heard {heard.total()}：采纳 / taken {heard['accepted']}，反问 / asked back {heard['doubted']}，"
            f"重问 / asked again {heard['unclear']}，按键在先 / a key came first {heard['late']}"
        )
