"""Telephone numbers from real data: what passes, what is refused, what is never dialled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.phone import EMERGENCY, NumberPolicy, NumberRefused, Problem, area_codes, check, is_fictitious, mask, parse

CN = NumberPolicy(("CN",), own_numbers=("+8645182340000", "12389"))
DEMO = NumberPolicy(("CN",), fictitious=True)
US = NumberPolicy(("US",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("138　0013　8000", "+8613800138000"),
        ("+86 13800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("\u202d13800138000\u202c", "+8613800138000"),
        ("\ufeff13800138000", "+8613800138000"),
        ("'13800138000", "+8613800138000"),
        ("0451-82345678", "+8645182345678"),
        ("(0451)82345678", "+8645182345678"),
        ("(010)62345678", "+861062345678"),
    ],
)
def test_ordinary_ways_of_writing_a_number_give_one_e164(text, expected):
    assert parse(text, CN) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.MISSING),
        ("　", Problem.MISSING),
        ("1.3800138E+10", Problem.SCIENTIFIC),
        ("1.38E+10", Problem.SCIENTIFIC),
        ("１.38001e10", Problem.SCIENTIFIC),
        ("13800138000/13900139000", Problem.SEVERAL),
        ("13800138000、13900139000", Problem.SEVERAL),
        ("0451-82345678转801", Problem.EXTENSION),
        ("0451-82345678 ext 9", Problem.EXTENSION),
        ("+8645182345678;ext=9", Problem.EXTENSION),
        ("0451-82345678 分机 8", Problem.EXTENSION),
        ("110", Problem.EMERGENCY),
        ("１１０", Problem.EMERGENCY),
        ("1 1 0", Problem.EMERGENCY),
        ("911", Problem.EMERGENCY),
        ("12389", Problem.OWN),
        ("0451-82340000", Problem.OWN),
        ("无", Problem.NOT_A_NUMBER),
        ("不详", Problem.NOT_A_NUMBER),
        ("+86138001380", Problem.IMPOSSIBLE),
        ("82345678", Problem.IMPOSSIBLE),
        ("1380013800", Problem.IMPOSSIBLE),
        ("4008123123", Problem.SERVICE),
        ("0451-10000", Problem.SERVICE),
        ("010 10086", Problem.SERVICE),
        ("+1 900 555 0100", Problem.SERVICE),
        ("+5352345678", Problem.REGION),
        ("+85251234567", Problem.REGION),
        ("+12125552368", Problem.REGION),
        ("+8610012345678", Problem.FICTITIOUS),
        ("+16195550123", Problem.FICTITIOUS),
        ("1" * 70, Problem.NOT_A_NUMBER),
    ],
)
def test_a_number_that_may_not_be_called_is_refused_with_its_reason(text, problem):
    with pytest.raises(NumberRefused) as refused:
        parse(text, CN)

    assert refused.value.problem is problem


def test_a_satellite_number_is_refused_even_where_its_region_is_allowed():
    with pytest.raises(NumberRefused):
        parse("+88216555123", CN)
    with pytest.raises(NumberRefused):
        parse("+88216555123", NumberPolicy(("CN", "001")))


@pytest.mark.parametrize("problem", Problem, ids=lambda problem: problem.name)
def test_every_refusal_says_what_to_do_in_both_languages(problem):
    assert all(len(words) >= 2 for words in problem.value)
    assert problem.zh != problem.en


def test_a_refusal_never_repeats_the_number():
    with pytest.raises(NumberRefused) as refused:
        parse("+86138001380", CN)

    assert "138001380" not in str(refused.value)


def test_fictitious_numbers_pass_only_where_the_policy_lets_them():
    assert parse("+8610012345678", DEMO) == "+8610012345678"
    assert parse("+16195550123", DEMO) == "+16195550123"
    assert check("+8610012345678", DEMO) is None
    assert check("+8610012345678", CN) is Problem.FICTITIOUS


@pytest.mark.parametrize(
    ("number", "fictitious"),
    [
        ("+8610000000000", True), ("+8613800138000", False), ("+861001234567", False), ("+86100123456789", False),
        ("+16195550100", True), ("+16195550199", True), ("+16195550200", False), ("+18005550100", False), ("+19005550100", False),
    ],
)  # fmt: skip
def test_only_ranges_that_belong_to_nobody_are_fictitious(number, fictitious):
    assert is_fictitious(number) is fictitious


def test_a_stored_number_is_checked_again_before_dialling():
    assert check("+8613800138000", CN) is None
    assert check("13800138000", CN) is Problem.IMPOSSIBLE
    assert check("+8645182340000", CN) is Problem.OWN


def test_a_mask_shows_the_last_four_digits():
    assert mask("+8613800138000") == "**********8000"
    assert mask("110") == "****"
    assert mask(None) == ""


def test_there_are_enough_american_area_codes_for_a_month_of_made_up_numbers():
    codes = area_codes()

    assert len(codes) >= 320
    assert "619" in codes
    assert not {"800", "888", "900", "911", "555"} & set(codes)
    assert list(codes) == sorted(set(codes))


DECORATION = st.sampled_from(["", " ", "-", "　", "\u200b", "\u202d", "."])


@given(st.sampled_from(sorted(EMERGENCY | {"10086", "12345", "95588", "96110"})), st.lists(DECORATION, min_size=6, max_size=6),
       st.sampled_from(["", "+86", "0086", "86", "0451", "010-", "0755 "]), st.booleans())  # fmt: skip
def test_no_dress_makes_a_short_number_pass(short, decoration, prefix, wide):
    dressed = prefix + "".join(mark + digit for mark, digit in zip(decoration, short, strict=False))
    text = "".join(chr(ord(c) + 0xFEE0) if wide and c.isdigit() else c for c in dressed)

    with pytest.raises(NumberRefused):
        parse(text, DEMO)


@given(st.text(max_size=40))
def test_whatever_is_typed_gives_a_long_number_or_a_refusal(text):
    try:
        number = parse(text, CN)
    except NumberRefused:
        return

    assert number.startswith("+86")
    assert len(number) >= 12
    assert parse(number, CN) == number


@given(st.integers(0, 10**8 - 1))
def test_each_made_up_chinese_number_is_its_own_e164(n):
    assert parse(f"+86100{n:08}", DEMO) == f"+86100{n:08}"
