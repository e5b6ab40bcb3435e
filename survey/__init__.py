"""The domain: scripts, sampling, fieldwork, dispositions, reports. Knows no HTTP, no queue, no sound."""
