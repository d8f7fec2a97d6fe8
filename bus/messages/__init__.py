"""The words: what is said on the wires and between actors. msgspec structs, no I/O."""
