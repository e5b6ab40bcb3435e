"""What the house itself says when no script speaks: excuses, farewells, and who calls from this number (R20)."""

from collections.abc import Mapping

from ivr.voice.twiml import Voice
from survey.bureau import Bureau
from survey.prompts import digits

VOICES: Mapping[str, Voice] = {"zh": Voice("zh-CN", "Polly.Zhiyu"), "en": Voice("en-US", "Polly.Joanna")}

EXCUSE = {"zh": "抱歉，系统暂时繁忙，请稍等。", "en": "Sorry, our system is busy. Please hold on for a moment."}
FAREWELL = {
    "zh": "抱歉，系统出现故障，本次回访只能到此结束。谢谢您，再见。",
    "en": "Sorry, our system has failed and this call has to end here. Thank you, goodbye.",
}
WHO_WE_ARE = {
    "zh": "您好，这里是{bureau}指挥中心自动语音回访专线。我们给最近报过警的群众打电话，请大家评价公安服务，不会询问银行卡、密码和身份证号。"
    "如需核实，请拨打{hotline}。今后不希望接到回访电话，请按0。",
    "en": "Hello, this is the automated callback line of {bureau}. We call people who reported an incident and ask how it was handled. "
    "We never ask for bank cards, passwords or identity numbers. To verify, call {hotline}. If you want no more calls from us, press 0.",
}
OPTED_OUT = {"zh": "好的，已经登记，今后不再给您拨打回访电话。再见。", "en": "Done. We will not call your number again. Goodbye."}
NUMBER_HIDDEN = {
    "zh": "抱歉，您的来电没有显示号码，无法登记，请拨打{hotline}办理。再见。",
    "en": "Sorry, your number is hidden, so we cannot note it. Please call {hotline}. Goodbye.",
}
GOODBYE = {"zh": "感谢您的来电，再见。", "en": "Thank you for calling. Goodbye."}


def voice_of(voices: Mapping[str, Voice], language: str) -> Voice:
    """The voice for a script's language: its own, that of the language without region, or the carrier's choice."""
    return voices.get(language) or voices.get(language.partition("-")[0]) or Voice(language)


def spoken(texts: Mapping[str, str], voices: Mapping[str, Voice], bureau: Bureau) -> list[tuple[str, Voice]]:
    """The sentence in every language that the house has a voice for, in the order of the voices."""
    names, hotline = {"zh": bureau.name, "en": bureau.name_en}, digits(bureau.hotline)
    return [
        (texts[language].format(bureau=names[language], hotline=hotline), voice)
        for language, voice in voices.items() if language in texts
    ]  # fmt: skip
