import json
from pathlib import Path

import pytest

from ivr.carrier.simulator.signing import sign, signed_url

SCHEMA = Path(__file__).parents[4] / "shared" / "reference" / "twilio_call_schema.json"


def test_the_published_vectors_come_out():
    if not SCHEMA.exists():
        pytest.skip("the carrier's published vectors are not beside this checkout (../shared/reference)")
    vectors = json.loads(SCHEMA.read_text(encoding="utf-8"))["signature_test_vectors"]

    assert sign(vectors["auth_token"], vectors["url"], vectors["params"]) == vectors["signature"]
    http = vectors["url"].replace("https", "http")
    assert sign(vectors["auth_token"], http.replace(".com", ".com:80"), vectors["params"]) == vectors["http_with_explicit_80"]
    assert sign(vectors["auth_token"], http.replace(".com", ".com:1234"), vectors["params"]) == vectors["http_port_1234"]


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://a.example:8443/x?y=%E4%BD%A0#rc=2", "https://a.example/x?y=%E4%BD%A0"),
        ("http://a.example:8080/x", "http://a.example:8080/x"),
        ("https://me:secret@a.example/x", "https://a.example/x"),
    ],
    ids=["https drops the port and the fragment", "http keeps the port", "credentials are left out"],
)
def test_the_url_is_signed_as_the_carrier_signs_it(url, signed):
    assert signed_url(url) == signed
