"""The rules: each looks for one trouble and says it with the numbers that show it.

Every threshold was set between runs that have the trouble and runs that have not: the
presets of the six projects (seed 0, one thread), which the tests train again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

import numpy as np

from playground.fields import Value
from playground.i18n import N_
from playground.insight.hints.situation import USUAL, Hint, Setting, Share, Situation
from playground.metrics import is_share
from playground.recipe import FIELDS

Rule = Callable[[Situation], Hint | None]

FIGURES: Final = {"loss": N_("loss"), "accuracy": N_("accuracy"), "mae": N_("mean error")}
OPTIMIZERS: Final = FIELDS["optimizer"].choice_labels


def diverged(run: Situation) -> Hint | None:
    """No finite loss any more: the steps were too large."""
    if run.history.ended != "diverged":
        return None
    return Hint(
        "diverged",
        N_(
            "Diverged: after step {step} the loss was no longer a number, because at a learning "
            "rate of {rate} the steps are too large for this network. The last good weights are "
            "kept."
        ),
        {"step": run.history.steps, "rate": Setting(run.rate)},
        {"learning_rate": lower(run.rate)} if run.rate > FIELDS["learning_rate"].low else {},
        "alarm",
    )


# Losses that are compared before and after a learning rate was moved, at least and at most.
AROUND: Final = (10, 50)


def raised(run: Situation) -> Hint | None:
    """Somebody raised the learning rate, and since then it is worse.

    At least doubled, and the mean batch loss half as much again as before.
    """
    moves = [one for one in run.history.changes if one.name == "learning_rate"]
    if not moves:
        return None
    old = moves[-2].value if len(moves) > 1 else run.recipe.learning_rate
    new, at = moves[-1].value, moves[-1].step
    least, most = AROUND
    before = run.history.losses[max(0, at - 1 - most) : at - 1]
    since = run.history.losses[at - 1 :][-most:]
    if new < 2 * old or min(len(before), len(since)) < least:
        return None
    was, now = float(np.mean(before)), float(np.mean(since))
    if now < 1.5 * was:
        return None
    return Hint(
        "raised",
        N_(
            "You raised the learning rate from {old} to {new} at step {step}. Since then the "
            "batch loss has gone from {before} to {now}: the steps are too large."
        ),
        {"old": Setting(old), "new": Setting(new), "step": at, "before": was, "now": now},
        {"learning_rate": old},
        "alarm",
    )


# The validation figure of fewer examples moves by more than the tolerance below by itself:
# of 500 answers with 80 % right, the standard error is 1.8 points.
JUDGES: Final = 500


def at_limit(run: Situation) -> Hint | None:
    """Nobody can do noticeably better.

    Within 5 % of the way from blind to best, and an error or loss at most 10 % above the
    best (the presets that work well: up to 4.2 % of the way, and 3 to 5 % above).
    """
    goal, last = run.goal, run.last
    if goal is None or last is None or goal.method or run.examples < JUDGES:
        return None
    value = last.validation[goal.figure]
    near = is_share(goal.figure) or value <= 1.1 * goal.best
    if not near or goal.left(value) >= 0.05:
        return None
    return Hint(
        "at_limit",
        N_(
            "At the limit: the {figure} on validation is {value}, and no model can expect better "
            "than {best} on this data. You can stop here."
        ),
        shortfall(run),
        tone="praise",
    )


# A neuron that answers one input in ten is silent on 50 in a row with probability 0.5 %.
ENOUGH: Final = 50


def dead(run: Situation) -> Hint | None:
    """Half of a layer's ReLU neurons are zero whatever comes in.

    Networks that learn well have some of them too (the presets: up to 32 % of a layer).
    """
    if run.measured is None or run.measured.examples < ENOUGH:
        return None
    layers = run.measured.layers
    worst = max(layers, key=lambda layer: layer.dead / layer.units, default=None)
    if worst is None or worst.dead < 0.5 * worst.units:
        return None
    return Hint(
        "dead",
        N_(
            "Dead neurons: in layer {layer}, {dead} of {units} ReLU neurons give 0 on every one of "
            "{examples} validation examples, so no gradient reaches them. A leaky ReLU lets some "
            "through."
        ),
        {
            "layer": worst.number,
            "dead": worst.dead,
            "units": worst.units,
            "examples": run.measured.examples,
        },
        {"activation": "leaky_relu", **calmer(run)},
    )


def saturated(run: Situation) -> Hint | None:
    """Most outputs of a sigmoid or tanh layer lie where the curve is flat.

    Threshold 80 %: with the table projects' own learning rates 7 to 38 % of a layer's outputs
    are there; with a rate of 1, where learning suffers, 90 % and more.
    """
    if run.measured is None:
        return None
    layers = run.measured.layers
    worst = max(layers, key=lambda layer: layer.saturated, default=None)
    if worst is None or worst.saturated < 0.8:
        return None
    return Hint(
        "saturated",
        N_(
            "Saturated: in layer {layer}, {share} of the {activation} outputs on {examples} "
            "validation examples lie where the curve is almost flat, so hardly any gradient gets "
            "through. ReLU does not flatten."
        ),
        {
            "layer": worst.number,
            "share": Share(worst.saturated),
            "activation": run.recipe.activation,
            "examples": run.measured.examples,
        },
        {"activation": "relu", **calmer(run)},
    )


def collapsed(run: Situation) -> Hint | None:
    """Nearly all answers are one class.

    At least 90 % of them, and 30 points more than really are (the worst of the presets that
    do learn, a single neuron in rps: 82 %).
    """
    if run.measured is None or not run.history.epochs or not run.measured.answers:
        return None
    answers = run.measured.answers
    most = max(range(len(answers)), key=answers.__getitem__)
    true = run.measured.truths[most]
    if answers[most] < max(0.9, true + 0.3):
        return None
    return Hint(
        "collapsed",
        N_(
            "Nearly always the same answer: “{label}” for {share} of {examples} validation "
            "examples. Only {true} of the examples really are “{label}”."
        ),
        {
            "share": Share(answers[most]),
            "examples": run.measured.examples,
            "label": run.labels[most],
            "true": Share(true),
        },
        way_out(run),
    )


# Steps below which a run has hardly begun: no trend can be told, and smaller ones get nowhere.
BEGUN: Final = 10


def not_learning(run: Situation) -> Hint | None:
    """No better than answering without looking.

    Both losses above 99 % of the blind one (the weakest preset that does learn, a single
    neuron in rps: 97 %), in an epoch late enough: a schedule may begin with tiny steps.
    """
    last, blind = run.last, run.blind.get("loss")
    if last is None or blind is None:
        return None
    late = run.stage == "over" or last.epoch >= max(5, 0.4 * run.recipe.epochs)
    stuck = min(last.train["loss"], last.validation["loss"]) >= 0.99 * blind
    if not late or not stuck or still_falling(run):  # what falls is slow, see there
        return None
    sentence = N_(
        "Not learning: after epoch {epoch} the validation loss is {loss}. Ignoring the input and "
        "answering with the class frequencies would already reach {blind}."
    )
    if run.task == "regression":
        sentence = N_(
            "Not learning: after epoch {epoch} the validation loss is {loss}. The same answer for "
            "every example would already reach {blind}."
        )
    values = {"epoch": last.epoch, "loss": last.validation["loss"], "blind": blind}
    change = more_steps(run) if run.history.steps < BEGUN else way_out(run)
    return Hint("not_learning", sentence, values, change)


def overfitting(run: Situation) -> Hint | None:
    """The validation loss has risen well above its best while the training loss fell.

    By a quarter, in the median of the last epochs: one epoch to the next moves it by up to
    15 % alone ("Best result" of the digits, on 500 examples). With patience on, the run
    takes care of it itself.
    """
    epochs = run.history.epochs
    if run.recipe.patience or len(epochs) < 3:
        return None
    recent = epochs[-max(2, len(epochs) // 10) :]
    best = min(epochs, key=lambda row: row.validation["loss"])
    now = min(median(row.validation["loss"] for row in recent), recent[-1].validation["loss"])
    around = [row.train["loss"] for row in epochs if abs(row.epoch - best.epoch) < len(recent)]
    before, after = median(around), median(row.train["loss"] for row in recent)
    lowest = best.validation["loss"]
    blind = run.blind.get("loss", math.inf)
    learned = lowest < 0.97 * blind or after < 0.5 * blind  # else it only leaps about
    if not learned or now < 1.25 * lowest or after > 0.95 * before or after > now:
        return None
    return Hint(
        "overfitting",
        N_(
            "Overfitting: since epoch {epoch} the validation loss has risen from {best} to {now}, "
            "while the training loss fell from {before} to {after}. Set Patience to stop in time "
            "and keep the best weights."
        ),
        {
            "epoch": best.epoch,
            "best": lowest,
            "now": now,
            "before": before,
            "after": after,
        },
        # Long enough to sit out a bad epoch or two.
        {"patience": max(3, run.recipe.epochs // 20)},
    )


# The share of the whole fall that comes in the second half of the steps. An exponential
# approach of N time constants has e^(-N/2) there: at 20 %, e^-3.2 = 4 % are still to come.
FALLING: Final = 0.2
# A schedule that lowers the learning rate brings some of it only in the end (up to 22 % in
# the presets).
FALLING_AS_PLANNED: Final = 0.3
# So few steps say nothing about what a network can reach: one of Adam moves a weight by at
# most about the learning rate, so 200 of 0.01 by 2. The presets that learn well have 315 and
# more.
FEW: Final = 200


def still_falling(run: Situation, as_planned: bool = False) -> bool:
    """A fall in the second half that is large enough, and not the leaps of huge steps."""
    trend = run.trend
    least = FALLING_AS_PLANNED if as_planned else FALLING
    return trend is not None and trend.sure and trend.share >= least and not too_fast(run)


def batch_too_large(run: Situation) -> Hint | None:
    """Too few steps to get there, of which fewer than 10 an epoch.

    The presets have 54 and more, except for those that learn few examples by heart. The
    change aims at 20.
    """
    each, steps, trend = run.steps_per_epoch, run.history.steps, run.trend
    size = 2 ** int(math.log2(max(run.training_examples / 20, 1)))
    few = each < 10 and steps < FEW and size < run.recipe.batch_size
    if run.history.ended != "finished" or not few or too_fast(run) or too_careful(run):
        return None
    counts = {"batch": run.recipe.batch_size, "each": each, "steps": steps}
    if still_falling(run) and trend is not None:
        sentence = N_(
            "Too few steps: with batches of {batch} an epoch has {each} and the whole run {steps}. "
            "The batch loss was still falling ({middle} half way, {end} at the end). Smaller "
            "batches give more steps from the same examples."
        )
        values = {**counts, "middle": trend.middle, "end": trend.end}
        return Hint("batch_too_large", sentence, values, {"batch_size": size})
    if not far_on_both(run):
        return None
    sentence = N_(
        "Too few steps: with batches of {batch} an epoch has {each} and the whole run {steps}. The "
        "{figure} on validation is {value}; {best} can be reached. Smaller batches give more "
        "steps from the same examples."
    )
    return Hint("batch_too_large", sentence, {**counts, **shortfall(run)}, {"batch_size": size})


def too_slow(run: Situation) -> Hint | None:
    """The loss still fell steadily at the end: larger steps, or more of them."""
    last, trend, blind = run.last, run.trend, run.blind.get("loss", math.inf)
    if last is None or trend is None or run.history.ended == "stopped":
        return None
    small: dict[str, float | str] = {
        "rate": Setting(run.rate),
        "optimizer": OPTIMIZERS[run.recipe.optimizer],
    }
    if run.stage != "over":
        # What begins slowly may get faster, so early only the plain case: a small learning
        # rate, its warm-up over, that took off less than a tenth of the blind loss.
        early = last.epoch < max(5, 0.4 * run.recipe.epochs)
        if early or trend.end < 0.9 * blind or not still_falling(run) or not too_careful(run):
            return None
        sentence = N_(
            "Too slow: up to epoch {epoch} the batch loss has come down only from {start} to "
            "{end}, and {rate} is a small learning rate for {optimizer}."
        )
        came = {"epoch": last.epoch, "start": trend.start, "end": trend.end}
        return Hint("too_slow", sentence, {**came, **small}, faster(run))

    if last.validation["loss"] > 1.05 * min(row.validation["loss"] for row in run.history.epochs):
        return None  # it would not help on new examples
    fall = {"middle": trend.middle, "end": trend.end}
    falling = still_falling(run, as_planned=run.recipe.schedule in ("one_cycle", "cosine"))
    if falling and too_careful(run):
        sentence = N_(
            "Too slow: the batch loss was still falling when the run ended ({middle} half way, "
            "{end} at the end), and {rate} is a small learning rate for {optimizer}."
        )
        return Hint("too_slow", sentence, {**fall, **small}, faster(run))
    if falling and trend.end > 0.5 * blind and faster(run):
        sentence = N_(
            "Too slow: the batch loss was still falling when the run ended ({middle} half way, "
            "{end} at the end), still far from its goal. A larger learning rate gets there sooner."
        )
        return Hint("too_slow", sentence, fall, faster(run))
    longer: dict[str, Value] = {}
    if run.recipe.epochs < FIELDS["epochs"].high:
        longer = {"epochs": min(2 * run.recipe.epochs, int(FIELDS["epochs"].high))}
    if falling:
        sentence = N_(
            "Too short: the batch loss was still falling when the run ended ({middle} half way, "
            "{end} at the end). Train for more epochs."
        )
        return Hint("too_slow", sentence, fall, longer)
    if run.history.steps < FEW and far_on_both(run) and not too_fast(run):
        sentence = N_(
            "Too short: after {steps} steps the {figure} on validation is {value}; {best} can be "
            "reached. Train for more epochs."
        )
        return Hint("too_slow", sentence, {"steps": run.history.steps, **shortfall(run)}, longer)
    return None


def batch_too_small(run: Situation) -> Hint | None:
    """The steps are mostly noise: the batch losses spread far more than their mean moves.

    The mean of n examples has 1/√n of one example's noise, so from 8 on a third: only
    smaller batches are meant. "Far more": ten times, with a spread of half the mean at
    least; and the validation loss has to jump (a tenth in four epochs), else the noise does
    no harm.
    """
    epochs, losses = run.history.epochs, run.history.losses
    quarter = len(losses) // 4
    if run.recipe.batch_size > 8 or len(epochs) < 3 or quarter < 20:
        return None
    before, now = losses[-2 * quarter : -quarter], losses[-quarter:]
    mean, spread = float(np.mean(now)), float(np.std(now))
    moved = float(np.mean(before)) - mean
    recent = [row.validation["loss"] for row in epochs[-4:]]
    if spread < max(0.5 * mean, 10 * moved) or max(recent) < 1.1 * min(recent):
        return None
    return Hint(
        "batch_too_small",
        N_(
            "Noisy steps: with batches of {batch} the batch losses of the last quarter spread by "
            "±{spread} around {mean}, and the validation loss jumps between {low} and {high}. "
            "Larger batches average the noise away."
        ),
        {
            "batch": run.recipe.batch_size,
            "spread": spread,
            "mean": mean,
            "low": min(recent),
            "high": max(recent),
        },
        {"batch_size": 32},
    )


def underfitting(run: Situation) -> Hint | None:
    """Both train and validation stay far from what is possible, and nothing moves any more."""
    goal, last = run.goal, run.last
    if goal is None or last is None or run.history.ended not in ("finished", "patience"):
        return None
    moving = run.trend is None or run.trend.share >= FALLING
    early = run.history.steps < FEW and not too_fast(run)
    blind = goal.left(last.validation[goal.figure]) > 0.95  # nothing learned: see not_learning
    if moving or early or blind or not far_on_both(run):
        return None
    values = {"train": written(goal.figure, last.train[goal.figure]), **shortfall(run)}
    sentence = N_(
        "Underfitting: the {figure} no longer gets better ({train} on train, {value} on "
        "validation), but {best} is possible on this data."
    )
    if goal.method:
        values["method"] = goal.method
        sentence = N_(
            "Underfitting: the {figure} no longer gets better ({train} on train, {value} on "
            "validation), but a simple method gets {best} on validation ({method})."
        )
    return Hint("underfitting", sentence, values, more_room(run))


# In order of importance: what makes all else meaningless first, and what is only advice last.
RULES: Final[Sequence[Rule]] = (
    diverged,
    raised,
    at_limit,
    dead,
    saturated,
    collapsed,
    not_learning,
    overfitting,
    batch_too_large,
    too_slow,
    batch_too_small,
    underfitting,
)
# What leaves nothing else to say.
LAST_WORDS: Final[Sequence[Rule]] = (diverged, raised, at_limit)
# What says, each from other evidence, that too little was learned.
TOO_LITTLE: Final[Sequence[Rule]] = (collapsed, not_learning, batch_too_large, too_slow)


def far_on_both(run: Situation) -> bool:
    """Train and validation noticeably worse than the best, whatever the figure's scale.

    15 % of the way from blind to best are left; or, where the way is long (prices, whose
    blind error is huge), the error is twice the best and 2 % are left.
    """
    goal, last = run.goal, run.last
    if goal is None or last is None:
        return False
    for value in (last.train[goal.figure], last.validation[goal.figure]):
        left = goal.left(value)
        double = not is_share(goal.figure) and value >= 2 * goal.best
        if left < 0.15 and not (double and left >= 0.02):
            return False
    return True


def shortfall(run: Situation) -> dict[str, int | float | str]:
    """The goal's figure on validation beside the best, as a sentence names them."""
    assert run.goal is not None
    assert run.last is not None
    name = run.goal.figure
    return {
        "figure": FIGURES[name],
        "value": written(name, run.last.validation[name]),
        "best": written(name, run.goal.best),
    }


def written(figure: str, value: float) -> float:
    """A figure's value as a :class:`Hint` carries it."""
    return Share(value) if is_share(figure) else value


def rounded(value: float) -> float:
    """Three digits are enough for a slider: 0.007, not 0.007000000000000001."""
    return float(f"{value:.3g}")


def lower(rate: float) -> float:
    """A learning rate ten times smaller, as far as the slider goes."""
    return max(rounded(rate / 10), FIELDS["learning_rate"].low)


def too_fast(run: Situation) -> bool:
    """An unusually large learning rate for this optimizer."""
    return run.rate > USUAL[run.recipe.optimizer][1]


def too_careful(run: Situation) -> bool:
    """An unusually small learning rate for this optimizer."""
    return run.rate < USUAL[run.recipe.optimizer][0]


def calmer(run: Situation) -> dict[str, Value]:
    """Smaller steps too, if they were unusually large: they drove the neurons there."""
    return {"learning_rate": lower(run.rate)} if too_fast(run) else {}


def faster(run: Situation) -> dict[str, Value]:
    """Ten times larger steps, or three times, within what is usual."""
    low, high = USUAL[run.recipe.optimizer]
    if too_careful(run):
        return {"learning_rate": rounded(max(10 * run.rate, low))}
    for factor in (10, 3):
        if factor * run.rate <= high:
            return {"learning_rate": rounded(factor * run.rate)}
    return {}


def way_out(run: Situation) -> dict[str, Value]:
    """The likeliest reason why nothing is learned, mended; the surest sign first."""
    recipe = run.recipe
    if recipe.weight_decay >= 0.1:  # pulls the weights to zero faster than they learn
        return {"weight_decay": 0.0}
    if recipe.dropout >= 0.7:
        return {"dropout": 0.2}
    if too_fast(run):
        return {"learning_rate": lower(run.rate)}
    if too_careful(run):
        return faster(run)
    if recipe.activation in ("sigmoid", "tanh") and len(recipe.hidden) > 1:
        # The slopes of several layers multiply, each below 1, and what is left moves SGD by
        # next to nothing; Adam's steps do not depend on the gradient's size.
        adam: dict[str, Value] = {"optimizer": "adam", "learning_rate": 0.003}
        return {"activation": "relu", **(adam if recipe.optimizer == "sgd" else {})}
    if recipe.loss == "mse_one_hot":  # no gradient where it is confidently wrong
        return {"loss": "cross_entropy"}
    if min(recipe.hidden) < 8:  # a bottleneck that little gets through
        return more_room(run)
    if run.history.steps < FEW:  # too few to blame the learning rate
        return more_steps(run)
    return {"learning_rate": lower(run.rate)}


def more_steps(run: Situation) -> dict[str, Value]:
    """Smaller batches and more epochs, for a run of few steps."""
    most = int(FIELDS["epochs"].high)
    size = min(run.recipe.batch_size, 2 ** int(math.log2(max(run.training_examples / 5, 1))))
    return other(run, {"batch_size": size, "epochs": min(max(4 * run.recipe.epochs, 60), most)})


def other(run: Situation, changes: dict[str, Value]) -> dict[str, Value]:
    """Those of the changes that are not so already."""
    now = run.recipe.to_dict()
    return {name: value for name, value in changes.items() if now[name] != value}


def more_room(run: Situation) -> dict[str, Value]:
    """What keeps a network from bending as the data wants it."""
    recipe = run.recipe
    if recipe.activation == "none":
        return {"activation": "relu"}
    if recipe.dropout >= 0.5:
        return {"dropout": 0.0}
    if recipe.weight_decay >= 0.1:
        return {"weight_decay": 0.0}
    if too_fast(run):
        return calmer(run)
    if min(recipe.hidden) < 64:
        return {"hidden": tuple(max(16, min(4 * neurons, 1024)) for neurons in recipe.hidden)}
    if recipe.schedule == "constant":  # steps that are too large to settle
        return {"schedule": "one_cycle"}
    if len(recipe.hidden) < FIELDS["hidden"].longest:
        return {"hidden": (*recipe.hidden, recipe.hidden[-1])}
    return {}
