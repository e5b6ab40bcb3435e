"""Background jobs. The database is the truth; the queue only wakes."""
