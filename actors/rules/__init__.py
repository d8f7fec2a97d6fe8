"""The decisions: pure functions over words. No clock, I/O, randomness, threads or logging."""
