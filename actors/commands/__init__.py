"""Commands that run actors. A wire that one needs is handed in by run.py, for here nothing imports any."""
