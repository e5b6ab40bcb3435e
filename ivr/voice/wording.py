"""What the house itself says when no script speaks: excuses, farewells, and who calls from this number (R20)."""

from collections.abc import Mapping

from ivr.voice.twiml import Voice
from survey.bureau import Bureau

VOICES: Mapping[str, Voice] = {"zh": Voice("zh-CN", "Polly.Zhiyu"), "en": Voice("en-US", "Polly.Joanna")}

EXCUSE = {"zh": "抱歉,系统暂时繁忙,请稍候片刻。", "en": "Sorry, our system is busy. Please hold on for a moment."}
FAREWELL = {
    "zh": "抱歉,系统出现故障,本次回访只能到此结束。谢谢您,再见。",
    "en": "Sorry, our system has failed and this call has to end here. Thank you, goodbye.",
}
WHO_WE_ARE = {
    "zh": "您好,这里是{bureau}的智能语音回访专线。我们致电报过警的群众,请您评价民警的出警和处置情况,不会询问银行卡、密码和身份证号。"
    "如需核实,请拨打{hotline}。如不希望再接到回访电话,请按零。",
    "en": "Hello, this is the automated callback line of {bureau}. We call people who reported an incident and ask how it was handled. "
    "We never ask for bank cards, passwords or identity numbers. To verify, call {hotline}. If you want no more calls from us, press zero.",
}
OPTED_OUT = {"zh": "已为您登记,今后不再向您的号码拨打回访电话。再见。", "en": "Done. We will not call your number again. Goodbye."}
NUMBER_HIDDEN = {
    "zh": "抱歉,您的号码没有显示,无法登记。请拨打{hotline}办理。再见。",
    "en": "Sorry, your number is hidden, so we cannot note it. Please call {hotline}. Goodbye.",
}
GOODBYE = {"zh": "感谢您的来电,再见。", "en": "Thank you for calling. Goodbye."}


def voice_of(voices: Mapping[str, Voice], language: str) -> Voice:
    """The voice for a script's language: its own, that of the language without region, or the carrier's choice."""
    return voices.get(language) or voices.get(language.partition("-")[0]) or Voice(language)


def spoken(texts: Mapping[str, str], voices: Mapping[str, Voice], bureau: Bureau) -> list[tuple[str, Voice]]:
    """The sentence in every language that the house has a voice for, in the order of the voices."""
    names = {"zh": bureau.name, "en": bureau.name_en}
    return [
        (texts[language].format(bureau=names[language], hotline=bureau.hotline), voice)
        for language, voice in voices.items() if language in texts
    ]  # fmt: skip
