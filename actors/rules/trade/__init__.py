"""The life of a trade: the table of its states, entries, closes, fills, settlement."""
