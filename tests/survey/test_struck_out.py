"""Names and numbers struck out of what people typed, however they are written, and nothing else (O35)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.struck_out import STRUCK, cleaner

NAME, NUMBER = "赵小满", "+8613800138000"
CLEAN = cleaner((NAME, NUMBER))


@pytest.mark.parametrize(
    "text", ["当事人赵小满来过", "赵 小满", "赵\n小满", "赵.小满", "赵·小·满", "赵_小_满", "赵（小满）", "赵\u200b小满"]
)
def test_a_hidden_name_is_struck_out_however_it_is_written(text: str) -> None:
    clean = CLEAN(text)

    assert STRUCK in clean
    assert not set("赵小满") & set(clean)


@pytest.mark.parametrize(
    "written",
    [
        "+8613800138000", "008613800138000", "+86-138 0013 8000", "13800138000", "138 0013 8000", "138-0013-8000", "(138)00138000",
        "（138）0013—8000", "138—0013—8000", "138/0013/8000", "138_0013_8000", "138.0013.8000", "138，0013，8000", "１３８００１３８０００",
        "一三八零零一三八零零零", "幺三八〇〇幺三八〇〇〇", "138零零138000", "①③⑧00138000", "00138000",
    ],
)  # fmt: skip
def test_a_hidden_number_is_struck_out_however_it_is_written(written: str) -> None:
    assert CLEAN(f"请回电{written}号").replace("(", "").replace("（", "") == f"请回电{STRUCK}号"


@pytest.mark.parametrize(
    "text",
    [
        "2026年3月10日，民警二人，车牌 12345，赵某，电话 13900139000",
        "交办单 2026-0138，警情 J20260013800，期限 2026-11-29 08:30",
        "三月十日八时零一分，三人到场，一三八号楼，0013室",
        "赵警官：小雨，满地是水",
        "满意度 138 件中 13 件，80.00%",
        "2026-11-29 13:80，00138",
    ],
)
def test_other_words_and_numbers_stay(text: str) -> None:
    assert CLEAN(text) == text


def test_what_stands_before_a_number_and_is_no_part_of_it_stays() -> None:
    assert CLEAN("2026-0001 13800138000") == f"2026-0001 {STRUCK}"
    assert CLEAN("3月10日 138 0013 8000") == f"3月10日 {STRUCK}"


def test_one_character_is_nobodys_name() -> None:
    assert cleaner(("赵", ""))("赵某") == "赵某"


def test_a_name_of_two_characters_is_not_found_across_a_comma() -> None:
    clean = cleaner(("张三",))

    assert clean("民警小张，三人到场") == "民警小张，三人到场"
    assert clean("张三、张 三、张·三") == f"{STRUCK}、{STRUCK}、{STRUCK}"


def test_a_name_in_letters_is_not_found_inside_of_other_words() -> None:
    clean = cleaner(("Li Na",))

    assert clean("Ali, naive") == "Ali, naive"
    assert clean("LI NA, Li-Na, LiNa") == f"{STRUCK}, {STRUCK}, {STRUCK}"


def test_a_short_number_is_not_pieced_together() -> None:
    assert cleaner(("110",))("1、10 和 2026-11-05") == "1、10 和 2026-11-05"


@given(st.text(max_size=60), st.text(alphabet="0123456789", min_size=8, max_size=13), st.text(max_size=60))
def test_no_text_keeps_the_last_digits_of_a_hidden_number(before: str, number: str, after: str) -> None:
    assert number[-8:] not in cleaner((number,))(f"{before}{number}{after}")
