"""Incidents in: reading files of any make, mapping their columns, importing them, and making up a month where there is no file."""
