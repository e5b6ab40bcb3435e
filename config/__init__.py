"""How it is plugged together: settings, wiring, command line, supervisor. Nobody imports this package."""
