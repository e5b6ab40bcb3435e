"""The words by which remarks are coded: one table per language, to be read and argued about by those who code by hand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class Table:
    """The words of one language, in the normal form of `survey.coding`: small letters, Chinese without blanks.

    `classes` maps effect, need, idea, praise to words. `misconduct` only officials commit; `violence` counts where an `officer` is
    its author and no `other_actor` stands nearer. `cries` for help mean danger even when they are denied. `harmless` sounds like
    violence and is none (打我电话, to ring me). `denial` matches a negation at the end of what stands before a word, `double_denial`
    what takes it back, `plea` one that begs that it not be done. `places` have the place as their first group.
    """

    classes: Mapping[str, tuple[str, ...]]
    hot_spot: tuple[str, ...] = ()
    hazard: tuple[str, ...] = ()
    misconduct: tuple[str, ...] = ()
    violence: tuple[str, ...] = ()
    cries: frozenset[str] = frozenset()
    officer: re.Pattern[str] = NEVER
    other_actor: re.Pattern[str] = NEVER
    harmless: re.Pattern[str] = NEVER
    plea: re.Pattern[str] = NEVER
    denial: re.Pattern[str] = NEVER
    double_denial: re.Pattern[str] = NEVER
    places: tuple[re.Pattern[str], ...] = ()


NOTHING = Table({})


def _words(text: str) -> tuple[str, ...]:
    """The words of a list as people write it."""
    return tuple(re.split("、|, ", text))


_ZH_OFFICER = "民警|警察|警官|辅警|协警|交警|公安|派出所|执法|保安队|你们"
_ZH_STEM = "[^|我你他她它的了有是很请不没就都也还要会能把被给跟和对说到在从于经常总老让叫多太希望建议谢这那]"
_ZH_AT = "(?:在|位于|靠近|路过|经过|住|从|到)(?:我们|我家|咱们|那个|这个|这边的|那边的)*"
_ZH_COMMON = "十字路口|小区|广场|公园|菜市场|市场|商场|超市|夜市|小学|中学|学校|幼儿园|医院|火车站|汽车站|地铁站|公交站|停车场|工地"
_ZH_PLACE = (
    "十字路口|三岔路口|路口|街口|巷口|大街|大道|公路|马路|小路|路|街|巷子|巷|胡同|弄堂|小区|家园|花园|新村|公寓|广场|公园|菜市场|农贸市场|市场|"
    "商场|超市|步行街|夜市|小学|中学|大学|学校|幼儿园|医院|火车站|汽车站|地铁站|公交站|车站|停车场|网吧|酒吧|宾馆|工地|工业园|开发区|社区|"
    "大桥|天桥|立交桥|桥下|桥|隧道|河边|湖边|水库|村|镇"
)
_ZH_SIDE = "(?:南门|北门|东门|西门|大门口|门口|附近|旁边|对面|后面|周边|一带)?"

ZH = Table(
    classes={
        "idea": _words(
            "建议、提议、提个意见、提点意见、不如、最好、可以考虑、能不能考虑、是不是可以、可不可以、应该多、应该加、应该要、"
            "应该把、应该在、应该给、应当、不妨"
        ),
        "need": _words(
            "希望、盼望、需要、请求、要求、恳请、能不能、能否、想请、请你们、请民警、请派出所、请帮、帮我、帮忙、麻烦你们、"
            "加强巡逻、多巡逻、多巡查、加强巡查、加强管理、加大力度、装个、装上、安装、多派、尽快、管一管、管管"
        ),
        "effect": _words(
            "太慢、很慢、好慢、来得慢、来晚、来得晚、等了很久、等了好久、等了半天、等很久、迟迟、没来、没有来、没人来、没人管、"
            "没人理、没有人管、不管、不理、没结果、没有结果、没解决、没有解决、解决不了、不解决、没处理、没有处理、不处理、"
            "处理不公、不了了之、没有下文、没下文、没回复、没有回复、没有回音、敷衍、推诿、推来推去、踢皮球、态度差、态度不好、"
            "态度很差、态度恶劣、不耐烦、不满意、不太满意、不是很满意、很不满意、不负责、不作为、不专业、不公平、不公正、偏袒、"
            "不及时、效率低、效率太低、拖拉、拖了、冷漠、失望、安全多了、安全感、治安好转、好多了、比以前好、有效果、没效果、"
            "没有效果、解决了、处理好了、处理完、破案、追回、找回来、找到了"
        ),
        "praise": _words(
            "感谢、谢谢、多谢、表扬、点赞、辛苦、很好、挺好、非常好、真好、不错、满意、负责、认真、热情、热心、耐心、及时、专业、"
            "很快、挺快、迅速、给力、态度好、好警察、好民警、值得信赖、放心"
        ),
    },
    hot_spot=_words(
        "小偷、偷东西、偷车、偷电瓶、偷电动车、被偷、失窃、盗窃、入室、扒手、打架、斗殴、打群架、赌博、聚赌、赌场、黄赌毒、"
        "卖淫、吸毒、贩毒、毒品、传销、聚众、闹事、混混、流氓、地痞、收保护费、敲诈、抢劫、抢夺、诈骗、骗子、酒鬼、醉汉、尾随、"
        "骚扰、扰民、噪音、乱摆摊"
    ),
    hazard=_words(
        "飙车、炸街、超速、闯红灯、逆行、酒驾、无证驾驶、违停、乱停车、堵车、堵塞、占道、没有路灯、没路灯、路灯坏、路灯不亮、"
        "太黑、井盖、坑洼、大坑、塌陷、消防通道、消防栓、火灾、起火、着火、电线、漏电、煤气、燃气、飞线充电、楼道充电、"
        "高空抛物、高空坠物、烟花爆竹、易燃、危房、恶犬、大狗、不牵绳、没有护栏、没护栏、没有红绿灯、没红绿灯、没有监控、"
        "没监控、监控坏、溺水、隐患、危险"
    ),
    misconduct=_words(
        "受贿、索贿、行贿、贿赂、红包、好处费、收黑钱、吃拿卡要、滥用职权、以权谋私、徇私、刑讯、逼供、乱抓人、非法拘禁、"
        "暴力执法、野蛮执法、粗暴执法、钓鱼执法、打击报复、索要财物、索要钱、警匪一家、保护伞"
    ),
    violence=_words(
        "打我、打人、打了我、打了人、打了一拳、打了一巴掌、打了他、打了她、打伤、把我打、殴打、动手、耳光、踢我、踹我、推我、"
        "掐我、骂我、骂人、辱骂、侮辱、威胁、恐吓、要钱、收钱、拿钱、收了钱、收我钱、电击、电棍、铐我、铐起来、被民警打、"
        "被警察打、被辅警打、被警官打"
    ),
    cries=frozenset({"救命", "救救我", "快来人", "来人啊"}),
    officer=re.compile(_ZH_OFFICER),
    other_actor=re.compile("对方|有人|别人|邻居|老公|丈夫|老婆|男朋友|前夫|房东|小偷|嫌疑人|那个人|那些人|对面的|司机|老板|孩子|同学"),
    harmless=re.compile("打(?:了)?我(?:的)?(?:们)?(?:家)?(?:电话|手机|座机)|打我这个(?:电话|号码)|动手术"),
    plea=re.compile("(?:不要|别)$"),
    denial=re.compile(
        "(?:没有|没|从未|从不|从来不|并未|并不|不太|不够|不是很|不怎么|不|未曾|未|无|拒绝|拒)"
        f"(?:任何|什么|{_ZH_OFFICER}|有|人|来|过|再|很|那么|太|收|要|拿|送|给)*$"
    ),
    double_denial=re.compile("(?:不是|并非|不能说|不可能|怎么会|难道)$"),
    places=(
        re.compile(f"{_ZH_AT}({_ZH_STEM}{{1,10}}?(?:{_ZH_PLACE})+{_ZH_SIDE})"),
        re.compile(f"(?:^|[|])({_ZH_STEM}{{2,8}}?(?:{_ZH_PLACE})+{_ZH_SIDE})"),
        re.compile(f"(?:{_ZH_AT}|我们|咱们|我家)((?:{_ZH_COMMON})+{_ZH_SIDE})"),
    ),
)

_EN_OFFICER = "officers?|police|policem[ae]n|policewom[ae]n|cops?|constables?|sergeants?|detectives?|patrol"
_EN_PLACE = (
    "street|road|avenue|lane|drive|square|park|market|school|college|university|station|hospital|junction|crossing|crossroads|intersection|"
    "corner|bridge|tunnel|estate|village|gate|mall|supermarket|car park|parking lot|bus stop|playground|underpass|roundabout|alley"
)

EN = Table(
    classes={
        "idea": _words(
            "i suggest, we suggest, my suggestion, suggestion, suggest, i propose, propose, it would be better, would be better, "
            "you should, they should, police should, there should be, should have more, why not, why don't you, how about, "
            "what about, could consider, i recommend, recommend, an idea"
        ),
        "need": _words(
            "i need, we need, need more, i want, we want, i hope, we hope, hope, please, i would like, we would like, i wish, "
            "can you, could you, asking for, more patrols, more patrol, more police, patrol more, as soon as possible, install, "
            "help us"
        ),
        "effect": _words(
            "too slow, very slow, so slow, slow, too late, late, took too long, took hours, waited, waiting, never came, "
            "didn't come, did not come, nobody came, no one came, nothing happened, nothing was done, did nothing, no result, "
            "not solved, unsolved, unresolved, not resolved, no answer, never called back, rude, impolite, unfair, careless, "
            "unprofessional, ignored, not satisfied, dissatisfied, not happy, unhappy, bad attitude, poor, disappointed, "
            "disappointing, it was solved, was resolved, problem solved, safer now, feel safer, much better, got it back"
        ),
        "praise": _words(
            "thank you, thanks, thank, grateful, appreciate, well done, good job, great job, excellent, very good, great, good, "
            "polite, friendly, helpful, professional, patient, kind, quick, quickly, fast, satisfied, happy, keep it up"
        ),
    },
    hot_spot=_words(
        "thief, thieves, theft, thefts, stealing, stolen, steal, pickpocket, pickpockets, burglary, burglaries, burglar, "
        "break-ins, break in, robbery, robberies, robbed, fighting, fights, gambling, drugs, drug dealers, dealing, "
        "prostitution, gang, gangs, vandalism, drunks, drunk people, noise, noisy, harassment, harassed, loitering, scam, "
        "scams, fraud"
    ),
    hazard=_words(
        "speeding, racing, street racing, drag racing, running red lights, red lights, drunk driving, no street light, "
        "no street lights, no lights, street light is broken, street lights are broken, street lights are out, too dark, "
        "pothole, potholes, manhole, fire exit, fire lane, fire hazard, blocked, illegal parking, parked on the pavement, "
        "loose wires, wires, gas leak, dangerous dog, dogs without a leash, no crossing, no traffic light, no traffic lights, "
        "no camera, no cameras, hazard, dangerous"
    ),
    misconduct=_words(
        "bribe, bribes, bribery, bribed, corrupt, corruption, took money, asked for money, asked me for money, wanted money, "
        "demanded money, extorted, abuse of power, abused their power, police brutality, brutality, excessive force, "
        "forced a confession, illegally detained"
    ),
    violence=_words(
        "beat me, beat us, beat him, beat her, beaten, beating, hit me, hit him, hit her, hitting me, kicked me, kicked, "
        "punched me, punched, slapped me, slapped, pushed me, choked me, threatened me, threatened, insulted me, insulted, "
        "swore at me, shouted at me, cuffed me, handcuffed me, tasered"
    ),
    cries=frozenset({"help me", "help"}),
    officer=re.compile(rf"\b(?:{_EN_OFFICER}|they)\b"),
    other_actor=re.compile(
        r"\b(?:somebody|someone|neighbou?rs?|husband|wife|boyfriend|thief|thieves|robbers?|suspects?|landlord|drivers?|the man|kids)\b"
    ),
    plea=re.compile(r"\b(?:don't|do not) $"),
    denial=re.compile(
        r"\b(?:no one|nobody|none|not|never|no|without|nor|\w+n't)"
        r"(?: (?:one|anyone|anybody|any|ever|have|has|had|been|being|was|were|very|so|to|me|us|of|the|a|them|" + _EN_OFFICER + "))* $"
    ),
    double_denial=re.compile(r"\b(?:not true that|can't say|cannot say) $"),
    places=(
        re.compile(
            r"\b(?:at|on|in|near|by|outside|behind|opposite|around|along|to|from)(?: the| our| my| that)? "
            rf"((?:[a-z0-9'-]+ ){{0,3}}?(?:{_EN_PLACE})\b(?: (?:{_EN_PLACE})\b)*)"
        ),
    ),
)

TABLES: Mapping[str, Table] = {"zh": ZH, "en": EN}
