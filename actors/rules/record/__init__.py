"""PostgreSQL is away: what is said, what waits, and what is answered meanwhile."""
