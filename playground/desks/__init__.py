"""Desks: what each student has, in memory and in the store."""
