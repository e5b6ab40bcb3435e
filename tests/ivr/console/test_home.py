"""Home: the month as a list of tasks."""

from survey.store.models import Campaign
from tests.ivr.console.builders import Month


def test_an_empty_house_says_what_to_do_first(log_in, open_page):
    page = open_page(log_in("administrator"), "/")

    assert "尚未导入本月警情" in page.text
    assert "./huifang import" in page.text
    assert page.text.count("待前一步完成") >= 3


def test_the_month_is_a_list_of_six_tasks_with_state_and_date(log_in, open_page, month: Month):
    page = open_page(log_in("administrator"), "/")

    names = [row.text.split(". ")[1] for row in page.all("th") if row.attributes.get("scope") == "row"]
    assert names == ["导入", "抽样", "话术", "发布", "开始", "报表"]
    assert "本月警情 36 起" in page.text
    assert "抽样框 144 起，排除 3 起，抽中 36 起" in page.text
    assert "进行中" in page.text
    assert "有效回访 12 份" in page.text


def test_the_commands_name_their_files_in_the_language_of_the_page(log_in, open_page):
    chinese, english = open_page(log_in("administrator"), "/"), open_page(log_in("administrator", "en"), "/")

    assert "./huifang import <警情文件> --mapping <映射文件>" in chinese.text
    assert "./huifang import <INCIDENT FILE> --mapping <MAPPING FILE>" in english.text
    assert "&lt;警情文件&gt;" in chinese.html


def test_the_list_of_campaigns_says_how_to_create_the_first(log_in, open_page):
    page = open_page(log_in("administrator"), "/campaigns")

    assert "./huifang campaign create --month <月份> --script <话术文件>" in page.text
    assert "&lt;月份&gt;" in page.html


def test_the_month_refreshes_itself_while_a_campaign_runs(log_in, open_page, month: Month, sessions):
    client = log_in("administrator")
    assert 'hx-get="/?month=2026-10"' in open_page(client, "/").html

    with sessions.begin() as session:
        session.query(Campaign).update({"state": "finished"})

    assert "hx-get" not in open_page(client, "/").html


def test_times_are_those_of_the_bureaus_zone(log_in, open_page, month: Month):
    page = open_page(log_in("administrator"), "/")

    assert "2026-11-23 10:00" in page.text  # started at 02:00 UTC


def test_the_demonstration_is_named_on_every_page(log_in, open_page):
    assert "演示模式 · 模拟线路，不会真的拨出" in open_page(log_in("auditor"), "/").text


def test_another_month_is_shown_on_request_and_an_unknown_one_is_not(log_in, open_page, month: Month):
    client = log_in("commander")

    assert "2026-10 月度工作" in open_page(client, "/?month=2026-10").text
    assert "2026-10 月度工作" in open_page(client, "/?month=1999-01").text
