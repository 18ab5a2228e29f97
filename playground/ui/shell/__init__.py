"""What every page stands in: frame, language, desk, the browser, one look."""
