"""Whole calls: real processes, real HTTP, workers, a carrier; the carrier's own record is the judge."""
