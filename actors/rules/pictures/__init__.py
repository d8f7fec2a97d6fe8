"""What a report draws, as plain data: points, marks and spans of a trade or of a run. `actors.replay.drawing` draws it."""
