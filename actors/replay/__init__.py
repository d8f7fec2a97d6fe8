"""Drives the real actors from a recording. The demo's pieces that need no wire stand here too."""
