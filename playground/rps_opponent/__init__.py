"""Predictors of a rock, paper, scissors player: a trained one, and simple ones beside it."""

from playground.rps_opponent.opponent import Frequency, Markov, Opponent, Predictor, Random

__all__ = ["Frequency", "Markov", "Opponent", "Predictor", "Random"]
