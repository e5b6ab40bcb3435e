"""A carrier that exists only on this machine: it speaks Twilio's HTTP and is refused in production."""
