"""Home: the month as a list of tasks."""

from tests.ivr.console.builders import Month


def test_an_empty_house_says_what_to_do_first(log_in, open_page):
    page = open_page(log_in("administrator"), "/")

    assert "尚未导入本月警情" in page.text
    assert "./huifang import" in page.text
    assert page.text.count("等待前一步") >= 3


def test_the_month_is_a_list_of_six_tasks_with_state_and_date(log_in, open_page, month: Month):
    page = open_page(log_in("administrator"), "/")

    names = [row.text.split(". ")[1] for row in page.all("th") if row.attributes.get("scope") == "row"]
    assert names == ["导入", "抽样", "话术", "发布", "开始", "报表"]
    assert "本月警情 36 起" in page.text
    assert "抽样框 144 起，排除 3 起，抽中 36 起" in page.text
    assert "进行中" in page.text
    assert "有效回访 12 份" in page.text


def test_times_are_those_of_the_bureaus_zone(log_in, open_page, month: Month):
    page = open_page(log_in("administrator"), "/")

    assert "2026-11-23 10:00" in page.text  # started at 02:00 UTC


def test_the_demonstration_is_named_on_every_page(log_in, open_page):
    assert "演示模式 · 模拟线路，不会真的拨出" in open_page(log_in("auditor"), "/").text


def test_another_month_is_shown_on_request_and_an_unknown_one_is_not(log_in, open_page, month: Month):
    client = log_in("commander")

    assert "2026-10 月度工作" in open_page(client, "/?month=2026-10").text
    assert "2026-10 月度工作" in open_page(client, "/?month=1999-01").text
