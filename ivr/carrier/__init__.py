"""How calls leave the house: the protocol, Twilio's adapter, and the simulator that speaks Twilio's HTTP."""
