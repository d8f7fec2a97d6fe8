"""What is known of the markets, and what it says about one trade: book, feeds, freshness, marks."""
