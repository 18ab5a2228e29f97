"""What the lecture's pages compute: pure functions, tested against torch."""
