"""Coding of verbatims: the right class, hot spot, hazard and place, the words beside it; danger rather too often than missed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import coding_words
from survey.coding import CLASSES, Coding, Evidence, code, readable

DANGER_ZH = ("救命", "打我", "杀人", "着火", "持刀", "正在打", "正在砸", "快来人")
DANGER_EN = ("help me", "he has a knife", "they are hitting me")


def zh(text: str, *, about_police: bool = False) -> Coding:
    return code(text, "zh", DANGER_ZH, about_police=about_police)


def en(text: str, *, about_police: bool = False) -> Coding:
    return code(text, "en", DANGER_EN, about_police=about_police)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("建议在学校门口加强巡逻", "idea"),
        ("我觉得最好增加夜间执勤的警力", "idea"),
        ("希望晚上多巡逻", "need"),
        ("能不能尽快把我的车找到", "need"),
        ("民警来得太慢了，等了很久", "effect"),
        ("到现在也没有结果", "effect"),
        ("这半年治安好转，安全多了", "effect"),
        ("民警态度不好，很不耐烦", "effect"),
        ("谢谢民警，处理得很好", "praise"),
        ("出警很快，为他们点赞", "praise"),
        ("嗯那个就这样吧", "unclassified"),
        ("没什么意见", "unclassified"),
        ("", "unclassified"),
    ],
)
def test_a_remark_in_chinese_gets_its_class(text: str, wanted: str) -> None:
    assert zh(text).code == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("i suggest more cameras near the bus stop", "idea"),
        ("we need more patrols at night", "need"),
        ("they took too long and nothing happened", "effect"),
        ("thank you very good work", "praise"),
        ("well you know", "unclassified"),
    ],
)
def test_a_remark_in_english_gets_its_class(text: str, wanted: str) -> None:
    assert en(text).code == wanted


def test_what_asks_something_of_us_comes_before_what_judges_us() -> None:
    assert zh("感谢民警，建议多装监控").code == "idea"
    assert zh("来得太慢，希望快一点").code == "need"
    assert zh("态度好，但是来得太慢").code == "effect"


@pytest.mark.parametrize("text", ["我不满意", "不太满意", "不是很满意", "处理得不及时", "不怎么负责", "我没有很满意"])
def test_denied_praise_is_never_praise(text: str) -> None:
    assert zh(text).code == "effect"


@pytest.mark.parametrize("text", ["i am not satisfied", "they were not polite", "it was not very good"])
def test_denied_praise_is_never_praise_in_english(text: str) -> None:
    assert en(text).code == "effect"


def test_a_hazard_and_its_place_are_found_in_the_recognisers_words() -> None:
    found = zh("在 人民 路口 经常 有人 飙车")

    assert (found.hazard, found.hot_spot, found.place) == (True, False, "人民路口")
    assert found.evidence == (Evidence("hazard", "飙车"), Evidence("place", "人民路口"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("城东路经常有人打架", "城东路"),
        ("希望在我们小区门口装个监控", "小区门口"),
        ("中山路小学附近没有路灯", "中山路小学附近"),
        ("我住在幸福花园晚上有小偷", "幸福花园"),
        ("民警的态度很好", ""),
        ("我希望快一点", ""),
    ],
)
def test_a_place_is_taken_as_it_was_said(text: str, place: str) -> None:
    assert zh(text).place == place


def test_a_hot_spot_is_where_crime_is_at_home() -> None:
    assert zh("我们楼下有个赌场，天天聚众赌博").hot_spot
    assert en("there are thieves around the market street every night").hot_spot
    assert en("there are thieves around the market street every night").place == "market street"
    assert not zh("没有小偷").hot_spot


@pytest.mark.parametrize("text", ["救命", "快来人", "有人持刀", "他正在打我", "没有人来救命", "不要打我", "别打我"])
def test_danger_is_heard(text: str) -> None:
    assert zh(text).danger


@pytest.mark.parametrize("text", ["没有着火", "没有人打我", "没有持刀", "民警打我电话没有接到", "打了我的手机"])
def test_what_was_plainly_not_done_is_no_danger(text: str) -> None:
    assert not zh(text).danger


def test_danger_is_heard_in_english() -> None:
    assert en("please help me he has a knife").danger
    assert en("nobody is there help me").danger
    assert en("don't do it they are hitting me").danger
    assert not en("i am fine").danger


def test_the_word_that_alarms_is_told() -> None:
    assert Evidence("danger", "救命") in zh("救命啊").evidence
    assert Evidence("abuse", "红包") in zh("民警收红包").evidence


@pytest.mark.parametrize(
    "text",
    [
        "民警打我",
        "我被警察打了",
        "辅警骂人",
        "民警收红包",
        "派出所的人吃拿卡要",
        "警察把我打伤",
        "不是没有打人，民警打人了",
        "民警，不要打我",
    ],
)
def test_an_allegation_of_abuse_is_heard(text: str) -> None:
    assert zh(text).abuse


@pytest.mark.parametrize(
    "text",
    ["没有打人", "民警没有打人", "民警从不收红包", "民警拒收红包", "邻居打人", "对方骂人民警来了就好", "民警打我电话", "没有民警打人"],
)
def test_blows_of_others_and_denied_ones_are_no_allegation(text: str) -> None:
    assert not zh(text).abuse


@pytest.mark.parametrize("text", ["the officer hit me", "the police asked me for money", "the cops took a bribe"])
def test_an_allegation_is_heard_in_english(text: str) -> None:
    assert en(text).abuse


@pytest.mark.parametrize("text", ["no one beat me", "the officer never hit me", "they did not beat me", "my neighbour hit me"])
def test_no_allegation_is_heard_in_english(text: str) -> None:
    assert not en(text).abuse


def test_blows_without_an_author_are_the_polices_where_the_question_was_what_they_did_wrong() -> None:
    assert zh("还动手打人", about_police=True).abuse
    assert not zh("还动手打人").abuse
    assert not zh("邻居打人", about_police=True).abuse


def test_a_language_without_a_table_still_hears_danger() -> None:
    found = code("救命", "fr", DANGER_ZH)

    assert (found.danger, found.code) == (True, "unclassified")


def test_words_of_the_recogniser_are_written_as_people_write_them() -> None:
    assert readable("在 人民 路口 [unk] 有人") == "在人民路口 … 有人"
    assert readable("near the bus stop") == "near the bus stop"


@given(st.text(max_size=120), st.sampled_from(["zh", "en", "fr", ""]))
def test_every_text_is_coded(text: str, language: str) -> None:
    found = code(text, language, DANGER_ZH)

    assert found.code in CLASSES
    assert bool(found.place) == any(each.kind == "place" for each in found.evidence)


@given(st.sampled_from(["在人民路口经常有人飙车", "民警打我", "救命", "我不满意", "建议多巡逻"]), st.data())
def test_blanks_and_full_width_forms_change_nothing(text: str, data: st.DataObject) -> None:
    spaced = "".join(each + data.draw(st.sampled_from(["", " ", "  "])) for each in text)

    assert zh(spaced) == zh(text)


def test_no_word_stands_in_two_classes() -> None:
    for table in coding_words.TABLES.values():
        words = [word for kind in table.classes.values() for word in kind]
        assert len(words) == len(set(words))
