"""What an executor must do (DESIGN section 5), as checks of a real one. `run.py check --venue` and tests/contracts run them."""
