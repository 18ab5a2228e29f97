"""Runs and who trains them: many side by side in one process, or on Ray."""
