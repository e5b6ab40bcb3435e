"""How the carrier is to bring us a web-hook that does not get through: said in the fragment of its address.

The carrier neither sends a fragment nor signs it (twilio_voice §2.1, connection overrides). Every web-hook may be repeated: a turn by
its step, a callback by what it says. Without this the carrier repeats once, and only where no connection was made; a restarting
proxy's 502, and a door that was stopped in mid-turn, would cost an excuse.
"""

FRAGMENT = "rt=6000&rc=2&rp=ct,rt,5xx"
"""No first byte within 6 s (a turn takes 5 at most), no connection, or an error of the server: twice more, 15 s in all at most."""


def insist(url: str) -> str:
    """The address with the wish to repeat. For parameters of the API and attributes of TwiML; not known to work elsewhere."""
    return f"{url}#{FRAGMENT}"
