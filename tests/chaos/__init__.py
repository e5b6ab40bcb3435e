"""A campaign under a nemesis: real processes are killed, stopped and emptied while the carrier's own record is the judge."""
