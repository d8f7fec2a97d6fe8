"""Decisions about accounts as wholes: drawdown, and the limits of new risk."""
