"""The deeds: thin shells that carry decisions out."""
