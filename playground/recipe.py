"""The recipe: one frozen record that says everything about a run.

Sliders, the URL, the run table, the exported script and the terminal all speak it.
Same recipe, same machine, same numbers.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from playground.errors import PlaygroundError
from playground.fields import Field, FieldError, Kind, Value, plain, shown
from playground.i18n import N_
from playground.versions import Step, upgraded

VERSION: Final = 1
UPGRADES: Final[dict[int, Step]] = {}
"""By version: from a recipe's plain values of that version to those of the next.

A new field, or a new option of a project's data, needs no step and no new version: where it is
missing, its default holds, or its ``before`` where the default would give other numbers. All
else (another name, another meaning) is a new version with a step here, which sees the project's
name and its data options, too. ``tests/frozen`` holds what each version wrote.
"""


class RecipeError(PlaygroundError):
    """A recipe that cannot be: an unknown field, a wrong version, parts that do not fit."""


def setting(kind: Kind, default: Value, label: str, help: str, **limits: Any) -> Any:
    """A dataclass field whose default, range and help stand in one :class:`Field`."""
    record = Field("", kind, default, label, help, **limits)
    return dataclasses.field(default=default, metadata={"field": record})


@dataclass(frozen=True)
class Recipe:
    """Every number that a run depends on. Immutable; change one with :meth:`with_`.

    Raises:
        FieldError: a value outside its field's range, named with field, value and range.
        RecipeError: parts that do not fit together.
    """

    project: str
    # The options of the project's own data (how many examples, how much noise, …).
    data: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    # The network.
    architecture: str = setting(
        "choice",
        "mlp",
        N_("Network"),
        N_(
            "MLP: every neuron sees all values of the layer before. CNN: small windows slide over "
            "the picture, so a stroke is recognised anywhere."
        ),
        choices=("mlp", "cnn"),
        choice_labels={"mlp": N_("MLP (fully connected)"), "cnn": N_("CNN (convolutions)")},
    )
    hidden: tuple[int, ...] = setting(
        "integers",
        (128,),
        N_("Hidden layers"),
        N_("Neurons in each hidden layer, from the input to the output."),
        low=1,
        high=1024,
        longest=6,
    )
    channels: tuple[int, ...] = setting(
        "integers",
        (16, 32),
        N_("Channels"),
        N_("How many patterns each convolution block looks for."),
        low=1,
        high=128,
        longest=4,
    )
    kernels: tuple[int, ...] = setting(
        "integers",
        (3, 3),
        N_("Kernel"),
        N_("Side of the window that slides over the picture, in pixels."),
        low=1,
        high=7,
        longest=4,
    )
    strides: tuple[int, ...] = setting(
        "integers",
        (2, 2),
        N_("Stride"),
        N_("How far the window moves at a time: 2 halves each side of the picture."),
        low=1,
        high=3,
        longest=4,
    )
    activation: str = setting(
        "choice",
        "relu",
        N_("Activation function"),
        N_(
            "What a neuron does with its weighted sum. Without one, all layers act like a "
            "single layer."
        ),
        choices=("sigmoid", "tanh", "relu", "leaky_relu", "maxout", "elu", "none"),
        choice_labels={
            "sigmoid": "sigmoid",
            "tanh": "tanh",
            "relu": "ReLU",
            "leaky_relu": N_("Leaky ReLU (0.1)"),
            "maxout": "Maxout (2)",
            "elu": "ELU",
            "none": N_("none"),
        },
    )
    elu_alpha: float = setting(
        "number",
        1.0,
        N_("ELU α"),
        N_("How far below zero ELU may go."),
        low=0.1,
        high=3,
        step=0.1,
    )
    dropout: float = setting(
        "number",
        0.0,
        N_("Dropout"),
        N_(
            "The share of hidden neurons that are switched off at random for each example, "
            "during training only. It works against overfitting."
        ),
        low=0,
        high=0.9,
        step=0.05,
    )

    # The loss.
    loss: str = setting(
        "choice",
        "cross_entropy",
        N_("Loss function"),
        N_("How wrong the network is: the number that training makes smaller."),
        choices=("cross_entropy", "mse_one_hot", "bce", "mse", "l1", "huber"),
        choice_labels={
            "cross_entropy": N_("Cross entropy"),
            "mse_one_hot": N_("MSE on one-hot answers"),
            "bce": N_("Binary cross entropy"),
            "mse": N_("MSE (mean squared error)"),
            "l1": N_("L1 (mean absolute error)"),
            "huber": N_("Huber"),
        },
    )
    label_smoothing: float = setting(
        "number",
        0.0,
        N_("Label smoothing"),
        N_("Ask for a little less than full certainty: this share is spread over all classes."),
        low=0,
        high=0.5,
        step=0.05,
    )
    huber_delta: float = setting(
        "number",
        1.0,
        N_("Huber δ"),
        N_("Errors below δ count squared, above it linearly."),
        low=0.1,
        high=10,
        step=0.1,
    )

    # The optimizer.
    optimizer: str = setting(
        "choice",
        "adam",
        N_("Optimizer"),
        N_("The rule by which a gradient moves the weights."),
        choices=("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"),
        choice_labels={
            "sgd": "SGD",
            "momentum": N_("SGD with momentum"),
            "nesterov": "Nesterov",
            "rmsprop": "RMSprop",
            "adam": "Adam",
            "adamw": "AdamW",
        },
    )
    momentum: float = setting(
        "number",
        0.9,
        N_("Momentum"),
        N_(
            "How much of the previous step carries over into the next (SGD with momentum, "
            "Nesterov)."
        ),
        low=0,
        high=0.99,
        step=0.01,
    )
    beta1: float = setting(
        "number",
        0.9,
        N_("Adam β₁"),
        N_("How long Adam remembers past gradients: the closer to 1, the longer."),
        low=0,
        high=0.99,
        step=0.01,
    )
    beta2: float = setting(
        "number",
        0.999,
        N_("Adam β₂, RMSprop α"),
        N_("How long the optimizer remembers past squared gradients: the closer to 1, the longer."),
        low=0.8,
        high=0.9999,
        step=0.0001,
    )
    learning_rate: float = setting(
        "number",
        0.001,
        N_("Learning rate"),
        N_("The size of each step. Too small: slow. Too large: training diverges."),
        low=1e-5,
        high=10,
        log=True,
    )
    weight_decay: float = setting(
        "number",
        0.0,
        N_("Weight decay"),
        N_("Pulls every weight a little towards zero at each step, against overfitting."),
        low=0,
        high=1,
        log=True,
    )
    schedule: str = setting(
        "choice",
        "constant",
        N_("Schedule"),
        N_("How the learning rate changes over the run."),
        choices=("constant", "one_cycle", "cosine", "step"),
        choice_labels={
            "constant": N_("constant"),
            "one_cycle": N_("one cycle (up, then down)"),
            "cosine": N_("cosine (down)"),
            "step": N_("steps (down)"),
        },
    )
    step_epochs: int = setting(
        "integer",
        5,
        N_("Epochs between steps"),
        N_("After this many epochs the step schedule lowers the learning rate."),
        low=1,
        high=100,
    )
    step_factor: float = setting(
        "number",
        0.5,
        N_("Step factor"),
        N_("What the step schedule multiplies the learning rate by."),
        low=0.01,
        high=1,
        step=0.01,
    )

    # The training loop.
    batch_size: int = setting(
        "integer",
        64,
        N_("Batch size"),
        N_("How many examples are used for each step."),
        low=1,
        high=1024,
        log=True,
    )
    epochs: int = setting(
        "integer",
        5,
        N_("Epochs"),
        N_("How many times the network sees all training examples."),
        low=1,
        high=500,
        log=True,
    )
    patience: int = setting(
        "integer",
        0,
        N_("Patience"),
        N_(
            "Early stopping: end after this many epochs without a lower validation loss, and keep "
            "the best epoch's weights. 0: train all epochs."
        ),
        low=0,
        high=100,
    )
    target: float = setting(
        "number",
        0.0,
        N_("Target accuracy"),
        N_("End as soon as the validation accuracy (0 to 1) is this high. 0: no target."),
        low=0,
        high=1,
        step=0.005,
    )
    augmentation: float = setting(
        "number",
        0.0,
        N_("Augmentation"),
        N_(
            "How strongly training pictures are rotated, shifted, stretched and thickened at "
            "random, differently in each epoch. 0: not at all."
        ),
        low=0,
        high=1,
        step=0.05,
    )
    seed: int = setting(
        "integer",
        0,
        N_("Seed"),
        N_("Where random numbers start: the same seed repeats the same run."),
        low=0,
        high=2**31 - 1,
    )
    threads: int = setting(
        "integer",
        0,
        N_("Threads"),
        N_("Processor threads for one run. 0: chosen automatically at the start, and recorded."),
        low=0,
        high=64,
    )
    version: int = VERSION

    def __post_init__(self) -> None:
        _check_version(self.version)
        if not isinstance(self.project, str) or not isinstance(self.data, Mapping):
            raise RecipeError(N_("A recipe needs a project's name and its data options."))
        data = {name: plain(value) for name, value in self.data.items()}
        # What they mean is the project's affair; but they must be written down and read back.
        try:
            json.dumps(data, allow_nan=False)
        except (ValueError, TypeError, RecursionError) as error:
            raise RecipeError(N_("This is not a recipe: {reason}."), reason=error) from error
        for name, field in FIELDS.items():
            object.__setattr__(self, name, field.check(getattr(self, name)))
        # Frozen all the way down: nobody changes the options of a recipe that is in use.
        object.__setattr__(self, "data", MappingProxyType(data))
        if not len(self.channels) == len(self.kernels) == len(self.strides):
            raise RecipeError(
                N_(
                    "channels, kernels and strides each have one number per convolution block, so "
                    "they need the same number of values, not {channels}, {kernels} and {strides}."
                ),
                channels=len(self.channels),
                kernels=len(self.kernels),
                strides=len(self.strides),
            )

    def __hash__(self) -> int:
        # Not of to_json(): equal options may stand in another order.
        values = {**self.to_dict(), "data": frozenset(self.data.items())}
        return hash(tuple(values.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickling: a mappingproxy cannot be pickled, plain values can.
        return Recipe.from_dict, (self.to_dict(),)

    def uses(self, name: str) -> bool:
        """Does the field ``name`` change anything beside the others as they are?"""
        other, values = DEPENDS.get(name, ("project", (self.project,)))
        return getattr(self, other) in values

    def with_(self, **changes: Any) -> Recipe:
        """A new recipe with some fields changed; ``data`` is merged, not replaced.

        Raises:
            RecipeError: a field that does not exist, with the nearest one that does.
        """
        for name in changes:
            if name not in FIELDS and name != "data":
                raise unknown(name, [*FIELDS, "data"])
        if isinstance(changes.get("data"), Mapping):
            changes["data"] = {**self.data, **changes["data"]}
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, in the order in which the fields are declared."""
        fields = (field.name for field in dataclasses.fields(self))
        return {name: dict(self.data) if name == "data" else getattr(self, name) for name in fields}

    def to_json(self) -> str:
        """One line of JSON that :meth:`from_json` reads back to an equal recipe."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that :meth:`to_dict` described, in this version of the program or before.

        Its data options stay as they are: :meth:`Project.opened` knows which have been added.

        Raises:
            RecipeError: a field unknown (with the nearest), no project, data options or
                version, or one that nobody knows how to bring up to date.
            FieldError: a value out of its range.
        """
        try:
            values = upgraded(values, VERSION, UPGRADES)
        except BROKEN as error:
            reason = f"{type(error).__name__}: {error}"
            raise RecipeError(N_("This is not a recipe: {reason}."), reason=reason) from error
        names = [field.name for field in dataclasses.fields(cls)]
        if "version" in values:  # first: a newer one may have other fields
            _check_version(values["version"])
        for name in values:
            if name not in names:
                raise unknown(name, names)
        values = {name: field.missing for name, field in FIELDS.items()} | values
        for name in names:
            if name not in values:
                raise RecipeError(N_("The recipe lacks {field}."), field=name)
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read :meth:`to_json`'s text; errors as :meth:`from_dict`, and for what is no JSON."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(N_("This is not a recipe: {reason}."), reason=error) from error
        if not isinstance(values, dict):
            raise RecipeError(N_("This is not a recipe: {reason}."), reason=type(values).__name__)
        return cls.from_dict(values)


# What a step raises at values that no version has written.
BROKEN: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def _check_version(version: object) -> None:
    if isinstance(version, bool) or version != VERSION:
        raise RecipeError(
            N_("This recipe has version {version}; this program reads version {known}."),
            version=shown(version),
            known=VERSION,
        )


def unknown(name: str, known: Iterable[str]) -> RecipeError:
    """The error for a name that does not exist, naming the nearest that does."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.0)
    return RecipeError(
        N_("There is no {name}. Did you mean {nearest}? There are: {known}."),
        name=shown(name),
        nearest=near[0] if near else "-",
        known=", ".join(known),
    )


FIELDS: Final[Mapping[str, Field]] = {
    field.name: dataclasses.replace(field.metadata["field"], name=field.name)
    for field in dataclasses.fields(Recipe)
    if "field" in field.metadata
}

DEPENDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "channels": ("architecture", ("cnn",)),
    "kernels": ("architecture", ("cnn",)),
    "strides": ("architecture", ("cnn",)),
    "elu_alpha": ("activation", ("elu",)),
    "label_smoothing": ("loss", ("cross_entropy",)),
    "huber_delta": ("loss", ("huber",)),
    "momentum": ("optimizer", ("momentum", "nesterov")),
    "beta1": ("optimizer", ("adam", "adamw")),
    "beta2": ("optimizer", ("adam", "adamw", "rmsprop")),
    "step_epochs": ("schedule", ("step",)),
    "step_factor": ("schedule", ("step",)),
}
"""What changes nothing but beside another choice: field -> (field, its values)."""

__all__ = ["DEPENDS", "FIELDS", "VERSION", "FieldError", "Recipe", "RecipeError", "unknown"]
