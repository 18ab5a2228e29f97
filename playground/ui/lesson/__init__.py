"""What the lecture's pages are made of."""
