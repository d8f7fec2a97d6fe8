"""A simulated venue: the engine of PaperVenue."""
