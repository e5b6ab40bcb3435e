"""What the house itself says when no script speaks: excuses, farewells, and who calls from this number (R20)."""

from collections.abc import Mapping

from ivr.voice.twiml import Voice
from survey.bureau import Bureau
from survey.flow_callback import FAREWELL as THANKS
from survey.flow_callback import GREETING, SORRY
from survey.prompts import digits

VOICES: Mapping[str, Voice] = {"zh": Voice("zh-CN", "Polly.Zhiyu"), "en": Voice("en-US", "Polly.Joanna")}

EXCUSE = {"zh": "抱歉，系统暂时繁忙，请稍等。", "en": "Sorry, our system is busy. Please hold on for a moment."}
INTERRUPTED = {"zh": "抱歉，刚才中断了一下，我们继续。", "en": "Sorry, we were interrupted for a moment. Let us go on."}
FAREWELL = {
    "zh": "抱歉，系统出现故障，本次回访只能到此结束。谢谢您，再见。",
    "en": "Sorry, our system has failed and this call has to end here. Thank you, goodbye.",
}
WHO_WE_ARE = {
    "zh": "您好，这里是{bureau}指挥中心自动语音回访专线。我们给最近报警求助过的群众打电话，请大家评价公安服务，"
    "不会询问银行卡、密码和身份证号。如需核实，请拨打{hotline}。",
    "en": "Hello, this is the automated callback line of {bureau}'s command centre. We call people who asked for help and survey "
    "how it was handled. We never ask for bank cards, passwords or identity numbers. To verify, call {hotline}. ",
}
"""Never more than this before the person is confirmed: whoever calls may have found the number on somebody else's telephone."""

NOW = {"zh": "现在接受回访，请按1。", "en": "To take the survey right now, press 1. "}
NOW_OR_LATER = {
    "zh": "现在接受回访，请按1。改天再接，请按9。",
    "en": "To take the survey right now, press 1. To be called another time, press 9. ",
}
ON_THE_LINE = {
    "zh": "我们此刻正在拨打您的电话，请挂断后接听。",
    "en": "We are calling you at this very moment. Please hang up and take the call. ",
}
NO_MORE_CALLS = {"zh": "今后不希望接到回访电话，请按0。", "en": "If you want no more calls from us, press 0."}
ALREADY_OUT = {
    "zh": "您的号码已经登记，我们不会再给您拨打回访电话。再见。",
    "en": "Your number is on our refusal list, and we do not call it. Goodbye.",
}
OPTED_OUT = {"zh": "好的，已经登记，今后不再给您拨打回访电话。再见。", "en": "Done. We will not call your number again. Goodbye."}
NUMBER_HIDDEN = {
    "zh": "抱歉，您的来电没有显示号码，无法登记，请拨打{hotline}办理。再见。",
    "en": "Sorry, your number is hidden, so we cannot note it. Please call {hotline}. Goodbye.",
}
GOODBYE = {"zh": "感谢您的来电，再见。", "en": "Thank you for calling. Goodbye."}


WAITING = {"zh": "正在为您接通值班员，请稍候。", "en": "We are connecting you to an officer. Please stay on the line."}
WAITING_TIMED = {
    "zh": "正在为您接通值班员，最多再等{left}秒，请稍候。",
    "en": "We are connecting you to an officer. You will wait {left} more seconds at most. Please stay on the line.",
}
WAITING_BEHIND = {
    "zh": "您前面还有{ahead}位，最多再等{left}秒，请稍候，不要挂断。",
    "en": "Callers ahead of you: {ahead}. You will wait {left} more seconds at most. Please stay on the line.",
}
HELD = {"zh": "请稍候，值班员马上回来。", "en": "Please hold, the officer will be back in a moment."}
WHISPER = {
    "zh": "回访来电，{unit}，{reason}。接听请按1，不接请挂断。",
    "en": "Callback survey: {unit}, {reason}. To take the call, press 1; else hang up.",
}
WHISPER_OF_CALLBACK = {
    "zh": "您要拨的回电，{unit}，{reason}。现在拨打群众请按1，不拨请挂断。",
    "en": "Your call back: {unit}, {reason}. To call the person now, press 1; else hang up.",
}
OF_CALLBACKS: Mapping[str, Mapping[str, str]] = {
    GREETING: {
        "zh": "您好，这里是{bureau}指挥中心，值班员给您回电，正在为您接通。",
        "en": "Hello, this is {bureau}'s command centre. An officer is calling you back. We are connecting you.",
    },
    THANKS: {"zh": "感谢您的接听，再见。", "en": "Thank you for taking the call. Goodbye."},
    SORRY: {
        "zh": "抱歉，值班员的线路中断了，我们会再给您回电。如有需要可拨打{hotline}。再见。",
        "en": "Sorry, the officer's line was interrupted. We will call you again. If you need us, please call {hotline}. Goodbye.",
    },
}
"""What the house says in a call that an operator makes; nothing of the incident, as nobody has asked yet who it is (R26)."""
TAKEN_AWAY = {"zh": "这个来电已由他人接听，或对方已经挂断。再见。", "en": "This call was taken by somebody else, or is over. Goodbye."}
REASONS: Mapping[str, Mapping[str, str]] = {
    "dissatisfied": {"zh": "评分不满意", "en": "dissatisfied"},
    "dissatisfied_again": {"zh": "复核仍不满意", "en": "still dissatisfied after the unit's answer"},
    "human_requested": {"zh": "要求人工", "en": "asks for a person"},
    "not_understood": {"zh": "两题没有听清", "en": "was not understood"},
    "abuse_alleged": {"zh": "反映违纪", "en": "alleges misconduct"},
    "danger": {"zh": "可能有危险", "en": "may be in danger"},
}
"""Why a call comes to an operator, as it is whispered."""


def joined(*parts: Mapping[str, str]) -> dict[str, str]:
    """The sentences one after the other, in every language that has all of them."""
    return {language: "".join(part[language] for part in parts) for language in parts[0] if all(language in part for part in parts)}


def voice_of(voices: Mapping[str, Voice], language: str) -> Voice:
    """The voice for a script's language: its own, that of the language without region, or the carrier's choice."""
    return voices.get(language) or voices.get(language.partition("-")[0]) or Voice(language)


def spoken(
    texts: Mapping[str, str], voices: Mapping[str, Voice], bureau: Bureau, language: str = "", **given: object
) -> list[tuple[str, Voice]]:
    """The sentence in the script language of whoever listens; else in all that the house has a voice for, in the order of the voices.

    `given` is what the sentence names beside the bureau and its hotline.
    """
    names, hotline = {"zh": bureau.name, "en": bureau.name_en}, digits(bureau.hotline)
    theirs = language.partition("-")[0]
    chosen = {language: voice_of(voices, language)} if theirs in texts else {each: voices[each] for each in voices if each in texts}
    return [
        (texts[found].format(bureau=names[found], hotline=hotline, **given), voice)
        for each, voice in chosen.items() for found in [each.partition("-")[0]]
    ]  # fmt: skip


def of_the_house(prompt: str, bureau: Bureau, language: str) -> str | None:
    """The words of a prompt that no script holds, in this language; None for a script's own."""
    texts = OF_CALLBACKS.get(prompt)
    return None if texts is None else "".join(text for text, _ in spoken(texts, VOICES, bureau, language))
