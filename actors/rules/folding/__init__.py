"""What is kept of market data under a flood, so that stops decide as if they had seen every tick."""
