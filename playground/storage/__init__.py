"""The database: what outlives the process, and how it is written down."""
