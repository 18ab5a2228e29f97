"""Several runs of one question: sweeps, comparisons, baselines, recipes as links."""
