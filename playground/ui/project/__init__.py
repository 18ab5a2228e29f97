"""The page of a project: train, watch, try, evaluate, keep."""
