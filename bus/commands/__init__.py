"""What an operator types: each command asks over NATS and shows the answer. run.py makes the command tree of them."""
