"""The flight recorder's files: words as bytes, blocks of them in segments."""
