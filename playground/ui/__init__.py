"""All that is on a page: its shell, its widgets and charts, and the pages made of these."""
