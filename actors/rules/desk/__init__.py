"""The engine of TradeDesk: what is asked, what is refused, what is kept, what leaves."""
