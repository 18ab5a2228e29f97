"""What it means when one part of the five is exchanged for another: a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playground.i18n import N_
from playground.lesson.five_parts import FIELDS, Choices


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
            "The classes sit in opposite corners. No straight line separates them, which is why a "
            "single neuron fails here."
        ),
        "price": N_(
            "The answer is now a number, not a class: one output, a loss that measures a "
            "distance, and a mean error at the end. The loop stays as it is."
        ),
        "wave": N_(
            "The answer is now a number, along a wave. Without an activation function the network "
            "can only lay a straight line through it."
        ),
    },
    "activation": {
        "relu": N_(
            "Straight pieces with a kink. Its slope is 0 or 1, so it does not shrink the gradient "
            "of an active neuron."
        ),
        "tanh": N_("Smooth bends, so soft boundaries and round curves. For large sums it is flat."),
        "sigmoid": N_(
            "Smooth bends too, but its slope is at most 1/4: with each layer the gradient gets "
            "smaller, and learning takes longer to begin."
        ),
        "none": N_(
            "All layers act like a single layer, since a product of matrices is a matrix. Only "
            "straight boundaries and straight lines are left, however many layers there are."
        ),
    },
    "layers": {
        "more": N_(
            "More layers can draw more complex boundaries. The gradient has a longer way back."
        ),
        "less": N_("Fewer layers: simpler shapes, fewer parameters, a shorter way back."),
    },
    "neurons": {
        "more": N_(
            "More neurons: each hidden neuron adds one more bend. All layers that touch them grow, "
            "so two lines or more change."
        ),
        "less": N_(
            "Fewer neurons: fewer bends. One or two are not enough to close the boundary "
            "around a ring."
        ),
    },
    "class_loss": {
        "cross_entropy": N_(
            "One output for each class, softmax inside the loss, and `y` holds class numbers. It "
            "works the same for ten classes."
        ),
        "bce": N_(
            "One output instead of two: the probability of class 1 is enough. So `y` becomes a "
            "float, the last layer has one neuron, and the answer is read off differently."
        ),
        "mse": N_(
            "The classes are treated as the numbers 0 and 1, and the network is pulled towards "
            "exactly 0 or 1: even an output of 3 for class 1, which is right, is punished."
        ),
    },
    "value_loss": {
        "mse": N_("Errors are squared, so large ones dominate. The loss is in squared units."),
        "l1": N_(
            "Every unit of error costs the same: outliers pull less, but the slope stays the same "
            "close to the goal, so the last steps overshoot."
        ),
        "huber": N_(
            "Squared near zero, straight far away: gentle near the target, robust to outliers."
        ),
    },
    "optimizer": {
        "sgd": N_(
            "One learning rate for all weights, and the step is proportional to the gradient. It "
            "usually needs a larger learning rate than Adam: try ten times as much."
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
            "Larger batches: the gradient is less noisy, but there are fewer steps per epoch, so "
            "the network makes less progress in the same number of epochs."
        ),
        "less": N_("Smaller batches: more steps per epoch, each with a noisier gradient."),
    },
    "epochs": {
        "more": N_(
            "The network sees the same examples more often. Watch whether the validation score "
            "still improves, or only the training loss."
        ),
        "less": N_("It stops earlier: perhaps before it has learned what it could."),
    },
}
