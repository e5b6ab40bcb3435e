"""Named reads: one module per topic, one function per question the system asks."""
