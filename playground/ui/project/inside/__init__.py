"""The tab "Inside": look into the network."""
