"""When a stop fires: rules, guards, the index of thresholds, and the engine of AutoStop."""
