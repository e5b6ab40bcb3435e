"""The door for the carrier alone: signed web-hooks in, TwiML out."""
