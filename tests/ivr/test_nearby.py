"""Who may read operations pages without a token: this machine, and nobody who comes through it."""

import pytest

from ivr.nearby import UNTOUCHED, bears, is_nearby


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_near(address: str) -> None:
    assert is_nearby({"REMOTE_ADDR": address, "HTTP_HOST": "127.0.0.1:8800"})


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.9", "2001:db8::1", "", "unix:", "localhost"])
def test_another_machine_or_nobody_in_particular_is_not(address: str) -> None:
    assert not is_nearby({"REMOTE_ADDR": address})


@pytest.mark.parametrize("header", ["FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_SOMETHING_NEW", "X_REAL_IP", "VIA"])
def test_a_proxy_on_this_machine_speaks_for_somebody_else(header: str) -> None:
    assert not is_nearby({"REMOTE_ADDR": "127.0.0.1", f"HTTP_{header}": ""})


def test_an_address_that_only_a_trusted_proxy_has_told_counts_for_nothing() -> None:
    assert not is_nearby({"REMOTE_ADDR": "127.0.0.1", UNTOUCHED: {"REMOTE_ADDR": "10.0.0.1"}})


@pytest.mark.parametrize("given", ["Bearer sesame", "bearer sesame", "Bearer  sesame "])
def test_the_token_opens(given: str) -> None:
    assert bears({"HTTP_AUTHORIZATION": given}, "sesame")


@pytest.mark.parametrize("given", ["", "sesame", "Basic sesame", "Bearer", "Bearer x", "Bearer sésame"])
def test_anything_else_does_not(given: str) -> None:
    assert not bears({"HTTP_AUTHORIZATION": given}, "sesame")


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer "])
def test_no_token_set_means_that_nobody_bears_it(given: str) -> None:
    assert not bears({"HTTP_AUTHORIZATION": given}, "")
