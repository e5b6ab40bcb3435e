"""Nobody but the carrier gets in, and whoever is kept out learns nothing and changes nothing (RS27–RS30)."""

import pytest
from sqlalchemy import event
from werkzeug.datastructures import MultiDict

from ivr.voice.app import create_voice_app
from ivr.voice.guard import OPEN, Guard, raw_path
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.voice.conftest import ACCOUNT, BASE, NEW_TOKEN, OLD_TOKEN, document

VECTORS = {
    "https://mycompany.com/myapp.php?foo=1&bar=2": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    "https://mycompany.com:443/myapp.php?foo=1&bar=2": "kvajT1Ptam85bY51eRf/AJRuM3w=",
}
PUBLISHED = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212", "Caller": "+14158675309"}


@pytest.fixture
def statements(ground):
    """What the database was asked for."""
    seen = []
    event.listen(ground.engine, "before_cursor_execute", lambda conn, cursor, statement, *rest: seen.append(statement))
    return seen


@pytest.mark.parametrize(("url", "signature"), VECTORS.items())
@pytest.mark.parametrize("base", ["https://mycompany.com", "https://mycompany.com:443"])
def test_published_signatures_are_accepted_with_and_without_the_port(url, signature, base):
    environ = {"RAW_URI": "/myapp.php?foo=1&bar=2"}

    assert Guard(base, "", ("12345",)).is_signed(environ, MultiDict(PUBLISHED), signature)


def test_every_route_is_locked_unless_it_is_named(services):
    app = create_voice_app(services)
    client = app.test_client()
    adapter = app.url_map.bind("localhost")
    values = {"token": "a" * 32, "step": 1}

    checked = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN:
            continue
        path = adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, method="POST")
        for method in (rule.methods or set()) | {"GET", "PUT"}:
            response = client.open(path, method=method)
            assert (response.status_code, response.data) == (403, b""), (method, path)
        checked.append(rule.endpoint)

    assert len(checked) >= 7
    assert {"voice.take_turn", "voice.note_status", "voice.note_machine", "voice.note_recording", "voice.answer_incoming"} <= set(checked)
    desk = {"tell_wait", "tell_held", "tell_music", "note_room", "whisper", "accept", "end_talk", "note_desk_status"}
    assert {f"voice.{endpoint}" for endpoint in desk} <= set(checked)


def test_only_health_readiness_and_the_music_are_open(services):
    response = create_voice_app(services).test_client().get("/healthz")

    assert {"voice.health", "voice.readiness", "voice.music"} == OPEN
    assert (response.status_code, response.data) == (200, b"ok\n")


@ON_SQLITE_ALONE
@pytest.mark.parametrize("path", ["/", "/voice", "/voice/attempts/x/steps/0", "/static/x", "/.env"])
def test_paths_that_do_not_exist_look_like_those_that_do(line, path):
    response = line.client.get(path)

    assert (response.status_code, response.data) == (403, b"")


@ON_SQLITE_ALONE
@pytest.mark.parametrize(
    "header",
    [None, "", " ", "wrong", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "ä" * 28, "A" * 10_000, "签名", "=" * 28, "\udcff"],
    ids=["none", "empty", "blank", "wrong", "foreign", "latin", "10 kB", "chinese", "padding", "surrogate"],
)
def test_a_bad_signature_is_refused_in_silence_and_before_the_database(line, statements, header):
    environ = {} if header is None else {"HTTP_X_TWILIO_SIGNATURE": header}

    response = line.post(f"/voice/attempts/{line.token}/steps/0", sign=False, environ_overrides=environ)

    assert (response.status_code, response.data) == (403, b"")
    assert statements == []


@ON_SQLITE_ALONE
@pytest.mark.parametrize(
    "signed",
    [
        "http://voice.example/voice/attempts/{token}/steps/0",
        "https://voice.example/voice/attempts/{token}/steps/1",
        "https://voice.example/voice/attempts/{token}/steps/0/",
        "https://voice.example/voice/attempts/{token}/steps/0?again=1",
        "https://evil.example/voice/attempts/{token}/steps/0",
        "https://voice.example:8443/voice/attempts/{token}/steps/0",
    ],
)
def test_the_signature_of_another_address_does_not_fit(line, statements, signed):
    response = line.post(f"/voice/attempts/{line.token}/steps/0", url=signed.format(token=line.token))

    assert response.status_code == 403
    assert statements == []


def test_the_default_port_may_be_signed_or_not(line):
    response = line.post(f"/voice/attempts/{line.token}/steps/0", url=f"https://voice.example:443/voice/attempts/{line.token}/steps/0")

    assert response.status_code == 200


@ON_SQLITE_ALONE
@pytest.mark.parametrize(("fragment", "status"), [("#rt=6000&rc=2&rp=ct,rt,5xx", 200), ("#rc=5", 403), ("#", 403)])
def test_a_server_that_signs_the_address_as_it_was_given_is_understood_and_none_that_signs_another(line, fragment, status):
    """The carrier itself signs no fragment."""
    path = f"/voice/attempts/{line.token}/steps/0"

    assert line.post(path, url=BASE + path + fragment).status_code == status


def test_an_added_or_changed_parameter_breaks_the_signature(line):
    form = line._standard(Digits="1")
    path = f"/voice/attempts/{line.token}/steps/0"
    signature = line.post(path, form).request.headers["X-Twilio-Signature"]

    for changed in ({**form, "Digits": "5"}, {**form, "More": ""}, {name: form[name] for name in form if name != "Digits"}):
        assert line.post(path, changed, sign=False, headers={"X-Twilio-Signature": signature}).status_code == 403


def test_a_repeated_parameter_is_covered_by_the_signature(line):
    form = MultiDict([*line._standard().items(), ("Extra", "b"), ("Extra", "a")])

    assert line.post(f"/voice/attempts/{line.token}/steps/0", form).status_code == 200


@ON_SQLITE_ALONE
@pytest.mark.parametrize(
    "query",
    ["?x=%E4%BD%A0%E5%A5%BD", "?x=%22quoted%22", "?x=%7Etilde", "?x=a+b&y=%2B", "?b=1&a=2", "?x=%e4%bd%a0", "?x=%FF%FE", "?x=a%00b"],
)
def test_the_query_is_checked_as_it_came_over_the_wire(line, query):
    assert line.post(f"/voice/attempts/{line.token}/steps/0{query}").status_code == 200


@ON_SQLITE_ALONE
@pytest.mark.parametrize("auth_token", [OLD_TOKEN, NEW_TOKEN])
def test_two_tokens_stand_side_by_side_while_one_replaces_the_other(line, auth_token):
    line.auth_token = auth_token

    assert line.hook("steps/0").status_code == 200


@ON_SQLITE_ALONE
@pytest.mark.parametrize("auth_token", ["", "third"])
def test_no_other_token_fits(line, auth_token):
    line.auth_token = auth_token

    assert line.hook("steps/0").status_code == 403


def test_an_empty_token_admits_nobody(services):
    guard = Guard(BASE, ACCOUNT, ("",))

    assert not guard.is_signed({"RAW_URI": "/voice/incoming"}, MultiDict(), "")


@ON_SQLITE_ALONE
@pytest.mark.parametrize("account", ["AC" + "f" * 32, "", None])
def test_another_account_is_refused_though_it_signs_well(line, statements, account):
    form = {name: value for name, value in line._standard().items() if name != "AccountSid"}
    form |= {} if account is None else {"AccountSid": account}

    response = line.post(f"/voice/attempts/{line.token}/steps/0", form)

    assert (response.status_code, response.data) == (403, b"")
    assert statements == []


def test_a_thousand_parameters_are_refused(line, statements):
    form = line._standard() | {f"p{n}": "x" for n in range(1000)}

    assert line.post(f"/voice/attempts/{line.token}/steps/0", form).status_code == 413
    assert statements == []


def test_a_megabyte_is_refused(line, statements):
    assert line.post(f"/voice/attempts/{line.token}/steps/0", line._standard(Digits="1" * 2**20)).status_code == 413
    assert statements == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Digits=%FF%FE&AccountSid=%80", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00&=&==&%", "application/x-www-form-urlencoded"),
        (b'{"AccountSid": 1', "application/json"),
        (b"{}", "application/json"),
        (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"", ""),
        (b"AccountSid=AC", "application/x-www-form-urlencoded; charset=utf-16"),
    ],
)
def test_no_body_makes_the_door_fall_over(line, body, kind):
    path = f"/voice/attempts/{line.token}/steps/0"
    signature = line.post(path, {}).request.headers["X-Twilio-Signature"]

    response = line.client.post(path, data=body, content_type=kind, headers={"X-Twilio-Signature": signature})

    assert 400 <= response.status_code < 500


@ON_SQLITE_ALONE
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(line, method):
    path = f"/voice/attempts/{line.token}/steps/0"
    signature = line.post(path, {}).request.headers["X-Twilio-Signature"]

    assert line.client.open(path, method=method, headers={"X-Twilio-Signature": signature}).status_code in (403, 405)


@ON_SQLITE_ALONE
@pytest.mark.parametrize("path", ["/voice/attempts/{token}/steps/0/", "/voice//incoming", "/voice/incoming/"])
def test_no_request_is_redirected_because_the_pressed_key_would_be_lost(line, path):
    response = line.post(path.format(token=line.token))

    assert response.status_code in (200, 404)


@ON_SQLITE_ALONE
@pytest.mark.parametrize("token", ["x", "A" * 32, "a" * 31, "a" * 33, "%00" * 32, "..%2f" * 8, "a" * 5000])
def test_what_cannot_be_a_token_never_reaches_the_database(line, statements, token):
    response = line.post(f"/voice/attempts/{token}/steps/0")

    assert response.status_code in (403, 404)
    assert statements == []


def test_an_unknown_attempt_is_hung_up_on_politely(line):
    line.token = "f" * 32

    assert [verb.tag for verb in line.step(0)] == ["Hangup"]
    assert line.hook("status", CallStatus="ringing").status_code == 204


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"RAW_URI": "/a/b?c=%20"}, "/a/b?c=%20"),
        ({"REQUEST_URI": "http://inner:8080/a?b"}, "/a?b"),
        ({"PATH_INFO": "/a b", "QUERY_STRING": "c=%e4"}, "/a%20b?c=%e4"),
        ({"PATH_INFO": "/\xe4\xbd\xa0", "QUERY_STRING": ""}, "/%E4%BD%A0"),
        ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, "/app/x"),
    ],
)
def test_the_raw_path_is_found_whatever_the_server_hands_on(environ, path):
    assert raw_path(environ) == path


@pytest.mark.parametrize("raw", ["/voice/incoming", "/huifang/voice/incoming"])
def test_a_base_url_with_a_path_is_put_before_the_request_once(raw):
    guard = Guard("https://voice.example/huifang/", ACCOUNT, ("t",))

    assert guard.signed_url({"RAW_URI": raw}) == "https://voice.example/huifang/voice/incoming"


def test_a_recorded_request_replayed_after_the_call_is_harmless(ground, line):
    line.step(0)
    line.step(1, Digits="1")
    first = line.hook("steps/2", Digits="1").data
    ground.end(line.token)
    ground.clock.advance(days=1)

    assert line.hook("steps/2", Digits="5").data == first
    assert [verb.tag for verb in document(line.hook("steps/3", Digits="5"))][-1] == "Hangup"
