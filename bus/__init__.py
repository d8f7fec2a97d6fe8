"""The NATS wire. Imports nothing, so that importing a message does not import NATS."""
