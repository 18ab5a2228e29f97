"""Part 1 of 5, data: where examples come from."""
