"""Whether each open trade is protected: the engine of TradeWatcher."""
