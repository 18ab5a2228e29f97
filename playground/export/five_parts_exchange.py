"""What it means when one part of the five is exchanged for another: a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playground.export.five_parts import FIELDS, Choices
from playground.i18n import N_


@dataclass(frozen=True)
class Exchange:
    """``field`` was ``before`` and is ``now``; ``sentence`` (a gettext id) says what follows."""

    field: str
    before: object
    now: object
    sentence: str


def exchange(before: Choices, now: Choices) -> Exchange | None:
    """The first part that differs, if what differs is in the code at all."""
    for name in FIELDS:
        old, new = getattr(before, name), getattr(now, name)
        if old == new or (name in ("class_loss", "value_loss") and name != now.loss_field):
            continue
        way = new if FIELDS[name].kind == "choice" else "more" if new > old else "less"
        return Exchange(name, old, new, SENTENCES[name][way])
    return None


SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "seed": dict.fromkeys(
        ("more", "less"),
        N_(
            "Other random numbers: other points, other first weights, another order. If the result "
            "changes much, the last one was luck."
        ),
    ),
    "data": {
        "rings": N_(
            "One class lies inside the other, so no straight line separates them: it takes hidden "
            "neurons with an activation function."
        ),
        "xor": N_(
            "Two classes crosswise. No straight line separates them, which is why a single neuron "
            "fails here."
        ),
        "price": N_(
            "A number is asked for, not a class: one output, a loss that measures a distance, and "
            "a mean error at the end. The loop stays as it is."
        ),
        "wave": N_(
            "A number is asked for, along a wave. Without an activation function the network can "
            "only lay a straight line through it."
        ),
    },
    "activation": {
        "relu": N_(
            "Straight pieces with a kink. Its slope is 0 or 1, so it does not shrink the gradient "
            "of a neuron that is switched on."
        ),
        "tanh": N_("Smooth bends, so soft borders and round curves. For large sums it is flat."),
        "sigmoid": N_(
            "Smooth bends too, but its slope is at most 1/4: with each layer the gradient gets "
            "smaller, and learning takes longer to begin."
        ),
        "none": N_(
            "All layers melt into one, since a product of matrices is a matrix. Only straight "
            "borders and straight lines are left, however many layers there are."
        ),
    },
    "layers": {
        "more": N_(
            "More layers: bends of bends, so borders may be more intricate. The gradient has a "
            "longer way back."
        ),
        "less": N_("Fewer layers: simpler shapes, fewer numbers to learn, a shorter way back."),
    },
    "neurons": {
        "more": N_(
            "More neurons: each hidden neuron adds one more bend. All layers that touch them grow, "
            "so two lines or more change."
        ),
        "less": N_("Fewer neurons: fewer bends. With one or two, even a ring has no room."),
    },
    "class_loss": {
        "cross_entropy": N_(
            "One output for each class, softmax inside the loss, and `y` holds class numbers. It "
            "works the same for ten classes."
        ),
        "bce": N_(
            "One output instead of two: the probability of class 1 is enough. So `y` becomes "
            "decimal, the last layer has one neuron, and the answer is asked for differently."
        ),
        "mse": N_(
            "The classes are treated as the numbers 0 and 1. A sure mistake costs hardly more than "
            "a hesitant one, so it is corrected less firmly than with cross entropy."
        ),
    },
    "value_loss": {
        "mse": N_("Errors are squared, so large ones rule. The loss is in squared units."),
        "l1": N_(
            "Every unit of error costs the same: outliers pull less, but the slope stays the same "
            "close to the goal, so the last steps overshoot."
        ),
        "huber": N_("Squared near zero, straight far away: calm at the goal, deaf to outliers."),
    },
    "optimizer": {
        "sgd": N_(
            "One learning rate for all weights, and the step is as long as the gradient says. It "
            "mostly needs a larger learning rate than Adam: try ten times as much."
        ),
        "momentum": N_(
            "Steps in the same direction add up to ten times the length. What was right for SGD "
            "may now be too fast."
        ),
        "adam": N_(
            "Each weight gets a step size of its own, so the learning rate matters less. 0.01 "
            "suits small networks like these."
        ),
    },
    "learning_rate": {
        "more": N_(
            "Longer steps: faster, until they jump across the valley and the loss goes up "
            "instead of down."
        ),
        "less": N_("Shorter steps: steadier, but it takes more epochs to get as far."),
    },
    "batch_size": {
        "more": N_(
            "Larger batches: the gradient is less noisy, but there are fewer steps in an epoch, so "
            "it gets less far in the same number of epochs."
        ),
        "less": N_("Smaller batches: more steps in an epoch, each with a noisier gradient."),
    },
    "epochs": {
        "more": N_(
            "The network sees the same examples more often. Watch whether the validation figure "
            "still improves, or only the training loss."
        ),
        "less": N_("It stops earlier: perhaps before it has learned what it could."),
    },
}
