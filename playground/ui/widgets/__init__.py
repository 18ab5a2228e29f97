"""What a person moves, draws or fills in."""
