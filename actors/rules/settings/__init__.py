"""Stop settings: their values, their layers, their changes."""
