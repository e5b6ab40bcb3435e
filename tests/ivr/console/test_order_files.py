"""Files of an order: known by their content, whatever they are called; sealed; each reading on record (O39, R63)."""

from io import BytesIO
from pathlib import Path

import pytest

from ivr.console import order_files
from ivr.console.app import create_console_app
from ivr.console.uploads import TooLarge, received, refused_files
from survey.casework import attachments
from survey.store.models import OrderAttachment
from tests.ivr.console.order_desk import PDF, OrderDesk, forms, send, take

PNG, JPEG = b"\x89PNG\r\n\x1a\n" + b"0" * 40, b"\xff\xd8\xff" + b"0" * 40
HOSTILE = {
    "../../etc/passwd.pdf": "passwd.pdf", "C:\\\\temp\\\\赵小满.pdf": "＊＊＊.pdf", "a\u202efdp.exe": "afdp.exe",
    "<script>alert(1)</script>.pdf": "script>.pdf", '"; filename=x.html': '"; filename=x.html', "现场 照片.pdf": "现场 照片.pdf",
}  # fmt: skip


@pytest.fixture
def desk(services, clock, passwords) -> OrderDesk:
    return OrderDesk(services, clock)


def _stored(desk: OrderDesk) -> list[OrderAttachment]:
    with desk.services.sessions() as session:
        return list(session.query(OrderAttachment).order_by(OrderAttachment.id))


def _on_disk(data: Path) -> list[Path]:
    return sorted(path for path in (data / attachments.FOLDER).rglob("*") if path.is_file())


def _links(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('href="') if part.startswith("/orders/attachments/")]


@pytest.mark.parametrize(("content", "kind", "place"), [(PDF, "application/pdf", "attachment"), (PNG, "image/png", "inline"),
                                                         (JPEG, "image/jpeg", "inline")], ids=["pdf", "png", "jpeg"])  # fmt: skip
def test_a_file_comes_back_as_what_it_is_and_its_reading_is_on_record(desk, log_in, tmp_path, content, kind, place):
    [order_id] = desk.issued()
    unit, centre = log_in("unit"), log_in("centre")
    assert take(unit, order_id, "attach", files=[(content, "赵小满家中.exe")]).status_code == 303

    [link] = _links(centre.get(f"/orders/{order_id}").text)
    answer = centre.get(link)

    assert answer.data == content
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Content-Disposition"].startswith(place)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [one.actor for one in desk.trail("attachment.read")] == ["centre"]
    [path] = _on_disk(tmp_path)
    assert content not in path.read_bytes()


def test_a_full_disk_is_told_at_the_form_and_leaves_no_file(desk, log_in, tmp_path, monkeypatch):
    [order_id] = desk.issued()
    unit, kept = log_in("unit"), iter((True, False))
    sync = attachments.os.fsync

    def full(descriptor: int) -> None:
        if not next(kept):
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(attachments.os, "fsync", full)
    answer = take(unit, order_id, "attach", files=[(PDF, "一.pdf"), (PNG, "二.png")])

    assert answer.status_code == 422
    assert "附件未能保存" in answer.text
    assert (_on_disk(tmp_path), _stored(desk)) == ([], [])


@pytest.mark.parametrize("sent", HOSTILE)
def test_a_hostile_name_does_no_harm(desk, log_in, open_page, tmp_path, sent):
    [order_id] = desk.issued()
    unit = log_in("unit")

    assert take(unit, order_id, "attach", files=[(PDF, sent)]).status_code == 303

    page = open_page(unit, f"/orders/{order_id}")
    [link] = _links(page.html)
    answer = unit.get(link)
    assert "<script>alert" not in page.html
    assert (answer.status_code, answer.data) == (200, PDF)
    assert "\n" not in answer.headers["Content-Disposition"]
    [path] = _on_disk(tmp_path)
    assert path.name == f"{_stored(desk)[0].public_id}.sealed"


@pytest.mark.parametrize(
    "content",
    [b"MZ executable", b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'>", b"PK\x03\x04", b"", b"%PD"],
    ids=["exe", "html", "svg", "zip", "empty", "cut"],
)
def test_anything_else_is_refused_whatever_it_is_called(desk, log_in, tmp_path, content):
    [order_id] = desk.issued()

    refused = take(log_in("unit"), order_id, "attach", files=[(content, "现场.pdf")])

    assert refused.status_code == 422
    assert "只接受 PDF、JPEG、PNG 文件" in refused.text
    assert (_stored(desk), _on_disk(tmp_path)) == ([], [])


def test_a_file_that_is_too_large_is_refused_with_the_limit_and_what_was_typed(desk, log_in, tmp_path):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")
    large = PDF + b"0" * attachments.LARGEST

    refused = take(unit, order_id, "answer", files=[(large, "录像.pdf")], measure="已批评教育并通报")

    assert refused.status_code == 422
    assert "20 MB" in refused.text
    assert "已批评教育并通报" in refused.text
    assert "须重新选择文件" in refused.text
    assert _on_disk(tmp_path) == []
    exact = PDF + b"0" * (attachments.LARGEST - len(PDF))
    assert take(unit, order_id, "attach", files=[(exact, "录像.pdf")]).status_code == 303


def test_all_limits_stand_at_the_field_and_in_the_refusal(app, desk, log_in):
    [order_id] = desk.issued()
    unit = log_in("unit")
    assert "每个不超过 20 MB，一次至多 10 个、合计不超过 60 MB" in unit.get(f"/orders/{order_id}").text
    view = app.view_functions["order_files.attach"]
    with app.test_request_context(f"/orders/{order_id}/attachments", method="POST"):
        assert (view.largest_request > 60 << 20, refused_files()) == (True, TooLarge(60, f"/orders/{order_id}"))


def test_a_request_beyond_all_measure_is_cut_off_and_other_pages_take_no_file_at_all(app, desk, log_in, monkeypatch):
    [order_id] = desk.issued()
    unit = log_in("unit")
    hidden = forms(unit.get(f"/orders/{order_id}").text)
    large = [(PDF + b"0" * 100_000, "现场.pdf")]
    assert send(unit, f"/orders/{order_id}/sign", hidden[f"/orders/{order_id}/sign"], files=large).status_code == 413
    monkeypatch.setattr(app.view_functions["order_files.attach"], "largest_request", 90_000)

    refused = take(unit, order_id, "attach", files=large)

    assert refused.status_code == 413
    assert "文件过大" in refused.text
    assert f'href="/orders/{order_id}"' in refused.text
    assert desk.order(order_id).version == 1


def test_who_may_not_attach_sends_no_large_file(desk, log_in):
    [order_id] = desk.issued()
    commander = log_in("commander")
    large = [(PDF + b"0" * 100_000, "现场.pdf")]

    assert send(commander, f"/orders/{order_id}/attachments", {"version": "1"}, files=large).status_code == 403


def test_reply_and_files_are_taken_together_or_not_at_all(desk, log_in, tmp_path):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "sign")
    take(unit, order_id, "take_in_hand")

    refused = take(unit, order_id, "answer", files=[(PDF, "一.pdf"), (PNG, "二.png")], measure="")
    assert (refused.status_code, _stored(desk), _on_disk(tmp_path)) == (422, [], [])
    mixed = take(unit, order_id, "answer", files=[(PDF, "一.pdf"), (b"MZ", "二.pdf")])
    assert (mixed.status_code, _stored(desk), _on_disk(tmp_path)) == (422, [], [])
    taken = take(unit, order_id, "answer", files=[(PDF, "一.pdf"), (PNG, "二.png")])

    assert taken.status_code == 303
    assert (len(_stored(desk)), len(_on_disk(tmp_path)), desk.order(order_id).state) == (2, 2, "answered")


def test_no_more_files_than_an_order_may_have(desk, log_in, tmp_path, monkeypatch):
    [order_id] = desk.issued()
    unit = log_in("unit")
    monkeypatch.setattr(attachments, "MOST", 2)
    monkeypatch.setattr(order_files, "MOST_AT_ONCE", 2)

    many = take(unit, order_id, "attach", files=[(PDF, f"{n}.pdf") for n in range(3)])
    two = take(unit, order_id, "attach", files=[(PDF, f"{n}.pdf") for n in range(2)])
    third = take(unit, order_id, "attach")

    assert [one.status_code for one in (many, two, third)] == [422, 303, 409]
    assert len(_on_disk(tmp_path)) == 2


def test_a_form_without_a_file_says_so(desk, log_in):
    [order_id] = desk.issued()

    refused = take(log_in("unit"), order_id, "attach", files=[(b"", "")])

    assert refused.status_code == 422
    assert "请选择文件" in refused.text


def test_a_file_of_an_order_that_is_hidden_is_hidden_and_the_attempt_on_record(desk, log_in):
    [own], [hidden] = desk.issued(), desk.issued(reasons=("dissatisfied", "abuse_alleged"))
    unit, inspection = log_in("unit"), log_in("inspection")
    take(unit, own, "attach")
    take(inspection, hidden, "attach")
    [link] = _links(inspection.get(f"/orders/{hidden}").text)

    assert inspection.get(link).status_code == 200
    assert unit.get(link).status_code == 404
    assert log_in("centre").get(link).status_code == 404
    assert log_in("administrator").get(link).status_code == 403
    assert [one.actor for one in desk.trail("attachment.read")] == ["inspection"]
    assert [one.actor for one in desk.trail("access.refused")] == ["unit", "centre", "administrator"]


def test_a_file_that_was_lost_or_altered_is_not_shown_and_the_page_still_is(desk, log_in, open_page, tmp_path):
    [order_id] = desk.issued()
    unit = log_in("unit")
    take(unit, order_id, "attach")
    [link] = _links(unit.get(f"/orders/{order_id}").text)
    [path] = _on_disk(tmp_path)

    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert unit.get(link).status_code == 404
    path.unlink()
    assert unit.get(link).status_code == 404
    open_page(unit, f"/orders/{order_id}")


def test_what_a_killed_process_has_left_of_an_upload_is_removed_and_one_that_is_read_stays(app, services):
    left = services.data / "upload-left"
    left.mkdir()
    (left / "file").write_text("号码")
    with app.test_request_context(method="POST", data={"file": (BytesIO("姓名".encode()), "a.csv")}):
        app.preprocess_request()
        with received("file") as upload:
            create_console_app(services)

            assert upload.path.read_text() == "姓名", "another process is just reading it"
        assert not upload.path.exists()
    assert not left.exists()


def test_uploads_never_touch_the_disk_in_the_clear(app):
    with app.test_request_context():
        request = app.request_class({"REQUEST_METHOD": "POST", "wsgi.input": None})
        assert type(request._get_file_stream(10**9, "application/pdf")).__module__ in ("_io", "io")
