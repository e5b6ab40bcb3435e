"""Bad weather between us and what we depend on: slow, half open, broken, gone (reliability §2.6, §2.7)."""
