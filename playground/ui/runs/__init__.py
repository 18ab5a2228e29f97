"""Runs beside each other: the table, the sweep, the class board."""
