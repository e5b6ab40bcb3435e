"""The words for remarks: what became of their sound and text, how they are coded, and by which words."""

from flask_babel import lazy_gettext as _l

from ivr.console.tags import BAD, BUSY, CARE, GOOD, QUIET, Tag

RECORDING = {
    "announced": Tag(_l("待取回"), "○", BUSY),
    "kept": Tag(_l("已保存"), "✓", GOOD),
    "needs_review": Tag(_l("待人工核查"), "!", CARE),
}
TRANSCRIPT = {
    "waiting": Tag(_l("待转写"), "○", BUSY),
    "no_model": Tag(_l("未转写：无语音模型"), "–", QUIET),
    "done": Tag(_l("已转写"), "✓", GOOD),
    "needs_review": Tag(_l("待人工听写"), "!", CARE),
    "danger": Tag(_l("危险词语待核实"), "!!", BAD),
}
"""States of a remark's text; the last is a filter: words of danger that nobody has looked at."""
TRANSCRIPTION_PROBLEMS = {
    "not_sound": _l("录音文件无法播放"),
    "unreadable": _l("录音无法解密"),
    "no_file": _l("录音文件缺失"),
    "failed": _l("转写失败"),
    "died": _l("转写进程多次中断"),
    "nothing_heard": _l("未听出字词"),
}
CLASSES = {
    "effect": _l("成效"),
    "need": _l("诉求"),
    "idea": _l("建议"),
    "praise": _l("表扬"),
    "unclassified": _l("未归类"),
    "uncoded": _l("尚无归类"),
}
CLASS_TAGS = {
    "effect": Tag(CLASSES["effect"], "◎", BUSY),
    "need": Tag(CLASSES["need"], "◎", BUSY),
    "idea": Tag(CLASSES["idea"], "◎", BUSY),
    "praise": Tag(CLASSES["praise"], "✓", GOOD),
    "unclassified": Tag(CLASSES["unclassified"], "–", QUIET),
}
FINDINGS = {
    "hot_spot": Tag(_l("治安乱点"), "▲", CARE),
    "hazard": Tag(_l("安全隐患"), "▲", CARE),
    "danger": Tag(_l("危险词语"), "!!", BAD),
    "abuse": Tag(_l("反映违法违纪"), "◆", BAD),
}
EVIDENCE = {
    **CLASSES,
    **{kind: tag.word for kind, tag in FINDINGS.items()},
    "place": _l("地点"),
}
"""What a word of a remark stands for."""
SPOKEN = {"zh": _l("普通话"), "en": _l("英语")}
