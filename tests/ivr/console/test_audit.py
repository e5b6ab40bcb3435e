"""The audit page: the trail, and whether it is whole (R65, RS55)."""

from survey.store.models import AuditEntry, AuditHead


def test_the_trail_is_listed_newest_first(log_in, open_page):
    log_in("operator")
    page = open_page(log_in("auditor"), "/audit")

    rows = [one.text for one in page.all("tr")][1:]
    assert "auditor" in rows[0]
    assert "operator" in rows[1]
    assert "登录" in rows[0]
    assert "共 2 条" in page.text


def test_a_whole_trail_is_called_whole(log_in, open_page):
    assert "审计链校验通过，共 1 条。" in open_page(log_in("auditor"), "/audit/check").text


def test_an_altered_entry_is_named(log_in, open_page, sessions):
    client = log_in("auditor")
    with sessions.begin() as session:
        session.query(AuditEntry).update({"actor": "somebody else"})

    text = open_page(client, "/audit/check").text

    assert "审计链校验不通过" in text
    assert "第 1 条：内容被篡改" in text
    assert "审计链校验通过" not in text


def test_a_cut_tail_is_named(log_in, open_page, sessions):
    client = log_in("auditor")
    with sessions.begin() as session:
        session.get_one(AuditHead, 1).n = 9

    assert "末尾被截断" in open_page(client, "/audit/check").text
