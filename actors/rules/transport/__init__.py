"""Whether NATS and its streams are as they should be."""
