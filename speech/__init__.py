"""Sound to meaning. Knows no survey, no telephone, no database."""
