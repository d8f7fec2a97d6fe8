"""Adapters to the rest of the world. Only run.py imports them."""
