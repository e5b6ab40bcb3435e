"""The front of house: one door for the carrier (voice), one for people (console), and the way out (carrier)."""
