"""What callees say instead of pressing a key, and what they leave as remarks. Chinese (`zh`) and English (`en`)."""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, ...]]

RATINGS: Mapping[str, Words] = {
    "zh": {
        "1": ("非常满意", "很满意"), "2": ("满意", "挺好的", "还可以"), "3": ("一般", "一般般", "马马虎虎"),
        "4": ("不满意", "不太满意"), "5": ("非常不满意",), "6": ("说不清",),
    },
    "en": {
        "1": ("very satisfied", "very satisfied indeed"), "2": ("satisfied", "I am satisfied"), "3": ("neither", "so so", "average"),
        "4": ("dissatisfied", "not satisfied"), "5": ("very dissatisfied",), "6": ("not sure", "I cannot say"),
    },
}  # fmt: skip
RATING_KEYS = {wording: key for table in RATINGS.values() for key, wordings in table.items() for wording in wordings}
"""The key of each wording, in both languages."""
DIGITS: Mapping[str, str] = {"zh": "零 一 二 三 四 五 六 七 八 九", "en": "zero one two three four five six seven eight nine"}
BY_NUMBER: Mapping[str, tuple[str, ...]] = {"zh": ("{}", "{}号", "选{}"), "en": ("{}", "number {}")}
YES: Mapping[str, Words] = {
    "zh": {
        "right_person": ("是的", "是"), "consent": ("同意", "可以"), "interference": ("有", "有人要求"),
        "discipline": ("涉及", "有"), "remark": ("有",), "put_right": ("解决了", "已经解决"), "satisfied_now": ("满意", "满意了"),
    },
    "en": {
        "right_person": ("yes", "yes, that was me"), "consent": ("yes", "yes, please"), "interference": ("yes", "somebody did"),
        "discipline": ("yes",), "remark": ("yes",), "put_right": ("yes", "yes, it was"), "satisfied_now": ("yes", "satisfied"),
    },
}  # fmt: skip
NO: Mapping[str, Words] = {
    "zh": {
        "right_person": ("不是", "不是我"), "consent": ("不用了", "不同意"), "interference": ("没有", "没有人"),
        "discipline": ("不涉及", "没有"), "remark": ("没有", "没有了"), "put_right": ("没有解决", "没有"), "satisfied_now": ("不满意",),
    },
    "en": {
        "right_person": ("no", "no, it was not me"), "consent": ("no", "no, thank you"), "interference": ("no", "nobody did"),
        "discipline": ("no",), "remark": ("no",), "put_right": ("no", "no, it was not"), "satisfied_now": ("no", "not satisfied"),
    },
}  # fmt: skip
COMMANDS: Mapping[str, Words] = {
    "zh": {
        "repeat": ("再说一遍", "没听清"), "back": ("返回上一题", "上一题"), "human": ("转人工", "我要人工"),
        "right": ("对", "是的"), "not right": ("不对", "不是"),
        "later": ("现在不方便", "改天再说"), "never": ("以后不要再打了", "不要再打电话来"), "now": ("现在可以",),
    },
    "en": {
        "repeat": ("say that again", "please repeat"), "back": ("go back",), "human": ("I want to speak to a person",),
        "right": ("yes", "yes, that is right"), "not right": ("no", "no, that is wrong"),
        "later": ("not now", "call me later"), "never": ("never call me again", "do not call again"), "now": ("right now",),
    },
}  # fmt: skip
STRAY: Mapping[str, tuple[str, ...]] = {
    "zh": ("喂,听得见吗", "你等一下啊", "今天下雨了", "那天来了两个人", "我在开车呢"),
    "en": ("hang on a moment", "is this a recording", "it was raining that day", "there were two of them", "I am driving"),
}

REMARKS: Mapping[str, tuple[str, ...]] = {
    "zh": (
        "民警来得很快,态度也好,谢谢你们。",
        "处理得很公道,我很感谢。",
        "希望晚上多派人到我们小区巡逻。",
        "人民路小学门口放学时太堵,请派交警。",
        "建议报警以后发个短信告诉我们进展。",
        "我的自行车丢了,现在还没有消息。",
        "东门市场后面的路灯坏了,晚上不安全。",
        "十字路口的红绿灯时间太短,老人过不去。",
        "我们楼下烧烤店半夜还在吵。",
        "河边的护栏断了,小孩容易掉下去。",
        "希望把调解的结果写下来给我们。",
        "幸福花园三号楼有人在电梯里充电。",
        "派出所的电话经常打不通。",
        "建议多给老人讲讲怎么防骗。",
        "年轻的民警很耐心,值得表扬。",
        "学校旁边有人骑摩托车飞车。",
        "希望尽快把监控装上。",
        "出警很快,就是后来没有人再联系我。",
        "火车站广场小偷多,请管一管。",
        "救命,他在我家门口,手里持刀。",
    ),
    "en": (
        "The officers came quickly and were very kind, thank you.",
        "It was handled fairly and I am grateful.",
        "Please send more patrols to our street at night.",
        "The crossing outside Park School needs an officer after class.",
        "Please send a message to tell us how the case goes on.",
        "My bicycle is still missing and nobody has told me anything.",
        "The street lamp behind the East Market is broken.",
        "The green light is too short for old people.",
        "The bar downstairs is loud until three in the morning.",
        "The railing by the river is broken and children play there.",
        "The station's telephone is always busy.",
        "Please teach older people about fraud.",
        "The young officer was very patient.",
        "There are thieves at the railway station.",
        "Help me, he has a knife and he is at my door.",
    ),
}
REASONS: Mapping[str, tuple[str, ...]] = {
    "zh": (
        "等了一个多小时才来人。",
        "来了以后只是登记了一下就走了。",
        "说话很不耐烦,也不听我解释。",
        "到现在也没有告诉我结果。",
        "对方还在闹,根本没有解决。",
        "打了三次电话才有人来。",
    ),
    "en": (
        "It took them more than an hour to come.",
        "They only wrote it down and left.",
        "He was impatient and did not listen to me.",
        "Nobody has told me the result.",
        "The other side goes on, nothing was solved.",
        "I had to call three times before anybody came.",
    ),
}
ABUSES: Mapping[str, tuple[str, ...]] = {
    "zh": ("有个民警推了我一把,还动手打人,我要求调查。", "那个民警向我要钱,说给两千块就不处理。"),
    "en": ("One of the officers pushed me and hit me, I want it looked into.", "The officer asked me for money to let the matter drop."),
}
