"""Looking inside: pure functions over numbers, models and histories."""
