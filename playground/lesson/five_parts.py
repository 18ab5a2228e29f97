"""PyTorch in five parts: a student's choices written as a plain, standalone script.

Data, model, loss, optimizer, training loop, as in the lecture. The script is made from
checked choices alone: a word chooses among lines that stand here, a number is written as
Python writes it. Nothing that a person types becomes code.

Comments are in the reader's language, everything that Python executes is English, so both
languages run, and print, the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from playground.fields import Field
from playground.i18n import N_, translate

TRAIN: Final = 128  # examples; a power of two, so that batches come out even
VALIDATION: Final = 64
EXAMPLES: Final = TRAIN + VALIDATION

# The imports, then the five parts.
PARTS: Final = ("start", "data", "model", "loss", "optimizer", "loop")

# The ranges bound the work: at most 16 steps an epoch, 50 epochs, 3 layers of 32 neurons,
# which is half a second on one core.
FIELDS: Final[Mapping[str, Field]] = {
    one.name: one
    for one in (
        Field(
            "seed",
            "integer",
            0,
            N_("Seed"),
            N_("Where random numbers start: the same seed repeats the same run."),
            low=0,
            high=9,
        ),
        Field(
            "data",
            "choice",
            "rings",
            N_("Data"),
            N_("Rings and corners are two classes; price and wave are numbers to predict."),
            choices=("rings", "xor", "price", "wave"),
            choice_labels={
                "rings": N_("two rings"),
                "xor": N_("XOR: four corners"),
                "price": N_("coffee price: a line"),
                "wave": N_("a wave"),
            },
        ),
        Field(
            "activation",
            "choice",
            "relu",
            N_("Activation function"),
            N_(
                "What a neuron does with its weighted sum. Without one, all layers act like a "
                "single layer."
            ),
            choices=("relu", "tanh", "sigmoid", "none"),
            choice_labels={
                "relu": "ReLU",
                "tanh": "tanh",
                "sigmoid": "sigmoid",
                "none": N_("none"),
            },
        ),
        Field(
            "layers",
            "integer",
            1,
            N_("Hidden layers"),
            N_("How many layers there are between the inputs and the last layer."),
            low=1,
            high=3,
        ),
        Field(
            "neurons",
            "integer",
            16,
            N_("Neurons"),
            N_("In each hidden layer."),
            low=1,
            high=32,
        ),
        Field(
            "class_loss",
            "choice",
            "cross_entropy",
            N_("Loss function"),
            N_("How wrong the network is: the number that training makes smaller."),
            choices=("cross_entropy", "bce", "mse"),
            choice_labels={
                "cross_entropy": N_("Cross entropy"),
                "bce": N_("Binary cross entropy"),
                "mse": N_("MSE (mean squared error)"),
            },
        ),
        Field(
            "value_loss",
            "choice",
            "mse",
            N_("Loss function"),
            N_("How wrong the network is: the number that training makes smaller."),
            choices=("mse", "l1", "huber"),
            choice_labels={
                "mse": N_("MSE (mean squared error)"),
                "l1": N_("L1 (mean absolute error)"),
                "huber": N_("Huber"),
            },
        ),
        Field(
            "optimizer",
            "choice",
            "adam",
            N_("Optimizer"),
            N_("The rule by which a gradient moves the weights."),
            choices=("sgd", "momentum", "adam"),
            choice_labels={"sgd": "SGD", "momentum": "momentum", "adam": "Adam"},
        ),
        Field(
            "learning_rate",
            "number",
            0.01,
            N_("Learning rate"),
            N_("The size of each step. Too small: slow. Too large: training diverges."),
            low=0.001,
            high=1,
            log=True,
        ),
        Field(
            "batch_size",
            "integer",
            16,
            N_("Batch size"),
            N_("How many examples are used for each step."),
            low=8,
            high=TRAIN,
            log=True,
        ),
        Field(
            "epochs",
            "integer",
            30,
            N_("Epochs"),
            N_("How many times the network sees all training examples."),
            low=1,
            high=50,
            log=True,
        ),
    )
}


@dataclass(frozen=True)
class Choices:
    """One choice a field of :data:`FIELDS`.

    Raises:
        FieldError: a value that its field does not allow.
    """

    seed: int = 0
    data: str = "rings"
    activation: str = "relu"
    layers: int = 1
    neurons: int = 16
    class_loss: str = "cross_entropy"
    value_loss: str = "mse"
    optimizer: str = "adam"
    learning_rate: float = 0.01
    batch_size: int = 16
    epochs: int = 30

    def __post_init__(self) -> None:
        for one in fields(self):
            checked = FIELDS[one.name].check(getattr(self, one.name))
            object.__setattr__(self, one.name, checked)

    @property
    def classes(self) -> bool:
        """Whether the data asks for a class, and not for a number."""
        return self.data in ("rings", "xor")

    @property
    def loss_field(self) -> str:
        """The field that says the loss: which losses there are depends on the data."""
        return "class_loss" if self.classes else "value_loss"

    @property
    def loss(self) -> str:
        return str(getattr(self, self.loss_field))

    @property
    def inputs(self) -> int:
        return 2 if self.classes else 1

    @property
    def outputs(self) -> int:
        return 2 if self.classes and self.loss == "cross_entropy" else 1


@dataclass(frozen=True)
class Line:
    """One line of code and why it is there: a gettext id and what its ``{places}`` hold."""

    text: str
    why: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A script: its lines by part, and ``source``, the very text that is shown and run."""

    choices: Choices
    parts: Mapping[str, tuple[Line, ...]]
    source: str
    untrained: str  # its first parts: data and a model with random weights

    def texts(self) -> list[str]:
        """All lines of code, without the empty lines between the parts."""
        return [line.text for lines in self.parts.values() for line in lines]


@lru_cache(maxsize=256)
def write(choices: Choices, language: str = "en") -> Program:
    """The script that does what ``choices`` say, with comments in ``language``."""
    parts = {
        "start": tuple(_start(choices)),
        "data": tuple(_data(choices, language)),
        "model": tuple(_model(choices, language)),
        "loss": tuple(_loss(choices, language)),
        "optimizer": tuple(_optimizer(choices, language)),
        "loop": tuple(_loop(choices, language)),
    }
    texts = ["\n".join(line.text for line in parts[name]) for name in PARTS]
    source = "\n\n".join(texts) + "\n"
    return Program(choices, parts, source, "\n\n".join(texts[: PARTS.index("loss")]) + "\n")


def altered(before: Program, now: Program) -> tuple[frozenset[int], frozenset[int]]:
    """Compare two programs line by line.

    Returns the places of ``now.texts()`` that are new or changed, and those before which
    something has gone.
    """
    new: set[int] = set()
    gone: set[int] = set()
    matcher = SequenceMatcher(None, before.texts(), now.texts(), autojunk=False)
    for kind, _i1, _i2, start, end in matcher.get_opcodes():
        if kind in ("replace", "insert"):
            new.update(range(start, end))
        elif kind == "delete":
            gone.add(start)
    return frozenset(new), frozenset(gone)


def _heading(number: int, title: str, language: str) -> str:
    return f"# {number}. {translate(title, language)}"


def _start(choices: Choices) -> Iterator[Line]:
    yield Line(
        "import torch",
        N_(
            "PyTorch itself: tensors, which are tables of numbers, and the gradient of whatever is "
            "computed with them."
        ),
    )
    yield Line(
        "from torch import nn",
        N_("`nn` holds the building blocks: layers, activation functions, loss functions."),
    )
    yield Line(
        "from torch.utils.data import DataLoader, TensorDataset",
        N_("Two helpers that hand out the examples batch by batch."),
    )
    yield Line("", "")
    yield Line(
        f"torch.manual_seed({choices.seed})",
        N_(
            "Where random numbers start. The same seed gives the same points, the same first "
            "weights and the same shuffling, so a run can be repeated exactly."
        ),
    )


TITLES: Final[Mapping[str, str]] = {
    "rings": N_("Data: two rings"),
    "xor": N_("Data: four corners (XOR)"),
    "price": N_("Data: the price of a coffee"),
    "wave": N_("Data: a wave"),
}


def _data(choices: Choices, language: str) -> Iterator[Line]:
    yield Line(
        _heading(1, TITLES[choices.data], language),
        N_(
            "Part 1: examples. `X` is what goes in, `y` is what should come out. Whether `y` is a "
            "class or a number decides the last layer and the loss."
        ),
    )
    yield from _POINTS[choices.data]
    if choices.classes and choices.loss != "cross_entropy":
        yield Line(
            "y = y.float().unsqueeze(1)",
            N_(
                "This loss compares two tensors of the same kind: floating-point numbers with the "
                "same shape as the network's output, {n} rows and 1 column."
            ),
            {"n": EXAMPLES},
        )
    yield Line(
        f"X_train, X_val = X[:{TRAIN}], X[{TRAIN}:]",
        N_(
            "The network learns from {train} examples. The other {validation} are held back: "
            "validation data shows whether it has understood or memorised."
        ),
        {"train": TRAIN, "validation": VALIDATION},
    )
    yield Line(
        f"y_train, y_val = y[:{TRAIN}], y[{TRAIN}:]",
        N_("The right answers, divided in the same way."),
    )
    yield Line(
        "train_set = TensorDataset(X_train, y_train)",
        N_("Ties each example to its answer, so that shuffling never separates them."),
    )
    yield Line(
        f"loader = DataLoader(train_set, batch_size={choices.batch_size}, shuffle=True)",
        N_(
            "Deals the examples like cards, shuffled again before each epoch. Examples per batch: "
            "{size}; batches, and so steps, per epoch: {steps}."
        ),
        {"size": choices.batch_size, "steps": -(-TRAIN // choices.batch_size)},
    )


_POINTS: Final[Mapping[str, tuple[Line, ...]]] = {
    "rings": (
        Line(
            f"y = torch.arange({EXAMPLES}) % 2",
            N_("The right answers, 0, 1, 0, 1, …: 0 is the inner ring, 1 the outer."),
        ),
        Line(
            f"radius = 0.45 + 0.45 * y + 0.08 * torch.randn({EXAMPLES})",
            N_("How far from the centre: `0.45` on the inner ring, `0.9` on the outer, and noise."),
        ),
        Line(
            f"angle = 2 * torch.pi * torch.rand({EXAMPLES})",
            N_("In which direction: anything up to a full turn, 2π."),
        ),
        Line(
            "X = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)",
            N_(
                "From distance and direction to coordinates: {n} rows, one per example, and two "
                "columns, x₁ and x₂."
            ),
            {"n": EXAMPLES},
        ),
    ),
    "xor": (
        Line(
            f"X = 2 * torch.rand({EXAMPLES}, 2) - 1",
            N_("{n} rows, one per example, and two columns: random numbers from −1 to 1."),
            {"n": EXAMPLES},
        ),
        Line(
            "y = (X[:, 0] * X[:, 1] < 0).long()",
            N_(
                "Class 1 where the two numbers have different signs, else class 0; `long()` turns "
                "True and False into 1 and 0."
            ),
        ),
        Line(
            f"X += 0.05 * torch.randn({EXAMPLES}, 2)",
            N_(
                "Noise: near the boundaries some points slip across, so no network should "
                "reach 100%."
            ),
        ),
    ),
    "price": (
        Line(
            f"X = 1 + 4 * torch.rand({EXAMPLES}, 1)",
            N_("The size of the cup, from 1 to 5 (times 100 ml): {n} rows, one column."),
            {"n": EXAMPLES},
        ),
        Line(
            f"y = 4 + 2.5 * X + 0.8 * torch.randn({EXAMPLES}, 1)",
            N_(
                "The rule to be found: `4` zł and `2.5` zł for each 100 ml, with noise. The "
                "network never sees this line, only the points."
            ),
        ),
    ),
    "wave": (
        Line(
            f"X = 2 * torch.rand({EXAMPLES}, 1) - 1",
            N_("{n} rows, one column: random numbers from −1 to 1."),
            {"n": EXAMPLES},
        ),
        Line(
            f"y = torch.sin(4 * X) + 0.15 * torch.randn({EXAMPLES}, 1)",
            N_(
                "The rule to be found: a wave, with noise. The network never sees this line, only "
                "the points."
            ),
        ),
    ),
}

_ACTIVATIONS: Final[Mapping[str, tuple[Line, ...]]] = {
    "relu": (
        Line(
            "    nn.ReLU(),",
            N_(
                "ReLU keeps what is positive and turns the rest into 0. Without such a bend all "
                "layers would act like a single layer."
            ),
        ),
    ),
    "tanh": (
        Line(
            "    nn.Tanh(),",
            N_(
                "tanh squeezes each sum smoothly between −1 and 1. Without such a bend all layers "
                "would act like a single layer."
            ),
        ),
    ),
    "sigmoid": (
        Line(
            "    nn.Sigmoid(),",
            N_(
                "sigmoid squeezes each sum smoothly between 0 and 1. Its slope is at most 1/4, so "
                "the gradient gets smaller with each layer on the way back."
            ),
        ),
    ),
    "none": (),
}


def _model(choices: Choices, language: str) -> Iterator[Line]:
    yield Line(
        _heading(2, N_("Model"), language),
        N_(
            "Part 2: the network, that is, the model's architecture. An example passes through its "
            "layers from top to bottom; that is the forward pass."
        ),
    )
    yield Line(
        "model = nn.Sequential(",
        N_("A chain: the output of one layer goes into the next."),
    )
    width, parameters = choices.inputs, 0
    for _layer in range(choices.layers):
        count = (width + 1) * choices.neurons
        yield Line(
            f"    nn.Linear({width}, {choices.neurons}),",
            N_(
                "A hidden layer: a weight for each pair of input and neuron, and a bias for each "
                "neuron. Inputs: {inputs}; neurons: {neurons}; parameters: {count}."
            ),
            {"inputs": width, "neurons": choices.neurons, "count": count},
        )
        yield from _ACTIVATIONS[choices.activation]
        width, parameters = choices.neurons, parameters + count
    parameters += (width + 1) * choices.outputs
    yield Line(f"    nn.Linear({width}, {choices.outputs}),", _last_layer(choices))
    yield Line(
        ")",
        N_(
            "The network is ready, with random weights. Parameters (weights and biases) in "
            "all: {count}."
        ),
        {"count": parameters},
    )


def _last_layer(choices: Choices) -> str:
    if not choices.classes:
        return N_(
            "The last layer: one output, the predicted value. No activation function, because the "
            "value may be anything."
        )
    if choices.loss == "cross_entropy":
        return N_(
            "The last layer: two raw outputs (logits), one for each class. No activation function: "
            "softmax is part of the loss."
        )
    if choices.loss == "bce":
        return N_(
            "The last layer: one raw output (logit); above 0 it means class 1. No activation "
            "function: sigmoid is part of the loss."
        )
    return N_(
        "The last layer: one output, which should come near 0 for class 0, near 1 for class 1."
    )


_LOSSES: Final[Mapping[tuple[str, str], Line]] = {
    ("class_loss", "cross_entropy"): Line(
        "loss_fn = nn.CrossEntropyLoss()",
        N_(
            "Softmax turns the two outputs into probabilities; the loss is −log of the "
            "probability of the right class: near 0 when sure and right, large when sure and "
            "wrong."
        ),
    ),
    ("class_loss", "bce"): Line(
        "loss_fn = nn.BCEWithLogitsLoss()",
        N_(
            "Sigmoid turns the single output into the probability of class 1; the loss is −log of "
            "the probability of the true class."
        ),
    ),
    ("class_loss", "mse"): Line(
        "loss_fn = nn.MSELoss()",
        N_(
            "The squared distance of the output from 0 or 1. It knows nothing of probabilities: "
            "for class 1 an output of 3 counts as a mistake."
        ),
    ),
    ("value_loss", "mse"): Line(
        "loss_fn = nn.MSELoss()",
        N_(
            "Mean squared error: an error of 2 counts four times as much as an error of 1, so "
            "large errors dominate."
        ),
    ),
    ("value_loss", "l1"): Line(
        "loss_fn = nn.L1Loss()",
        N_("Mean absolute error: an error of 2 counts twice as much as an error of 1."),
    ),
    ("value_loss", "huber"): Line(
        "loss_fn = nn.HuberLoss()",
        N_("Squared for errors up to 1, a straight line beyond: outliers pull less."),
    ),
}


def _loss(choices: Choices, language: str) -> Iterator[Line]:
    yield Line(
        _heading(3, N_("Loss function"), language),
        N_(
            "Part 3: how wrong is the network? One number, which training makes smaller. It has to "
            "fit the data: classes or values."
        ),
    )
    yield _LOSSES[choices.loss_field, choices.loss]


def _optimizer(choices: Choices, language: str) -> Iterator[Line]:
    yield Line(
        _heading(4, N_("Optimizer"), language),
        N_(
            "Part 4: who moves the weights? It is given all weights and biases of the model, and "
            "after `backward()` each of them has its gradient."
        ),
    )
    rate = repr(choices.learning_rate)
    match choices.optimizer:
        case "sgd":
            yield Line(
                f"optimizer = torch.optim.SGD(model.parameters(), lr={rate})",
                N_("Every weight takes a step against its gradient: w ← w − lr · gradient."),
            )
        case "momentum":
            yield Line(
                f"optimizer = torch.optim.SGD(model.parameters(), lr={rate}, momentum=0.9)",
                N_(
                    "Like a rolling ball: each step keeps `0.9` of the step before. Steps in one "
                    "direction add up, to ten times the length."
                ),
            )
        case "adam":
            yield Line(
                f"optimizer = torch.optim.Adam(model.parameters(), lr={rate})",
                N_(
                    "Adam divides each weight's mean gradient by its typical size, so that each "
                    "weight moves by about `lr` in a step, whether its gradient is large or small."
                ),
            )


def _loop(choices: Choices, language: str) -> Iterator[Line]:
    yield Line(
        _heading(5, N_("Training loop"), language),
        N_(
            "Part 5: the loop that brings the other four together. It is the same for rings, "
            "prices and pictures."
        ),
    )
    yield Line(
        f"for epoch in range({choices.epochs}):",
        N_("An epoch: the network sees all training examples once."),
    )
    yield Line("    total = 0.0", N_("Collects the loss of this epoch."))
    yield Line(
        "    for inputs, targets in loader:",
        N_("One batch after another: examples and their right answers. Each round is one step."),
    )
    yield Line(
        "        outputs = model(inputs)", N_("Forward pass: the batch goes through all layers.")
    )
    yield Line(
        "        loss = loss_fn(outputs, targets)",
        N_("How wrong these outputs are: one number for the whole batch."),
    )
    yield Line(
        "        optimizer.zero_grad()",
        N_(
            "Forget the gradients of the step before. PyTorch adds new gradients to the old ones; "
            "without this line they would pile up."
        ),
    )
    yield Line(
        "        loss.backward()",
        N_(
            "Backpropagation: from the loss back through all layers, the chain rule gives the "
            "gradient of every weight."
        ),
    )
    yield Line(
        "        optimizer.step()",
        N_("The optimizer moves every weight a little. This is where the network learns."),
    )
    yield Line(
        "        total += loss.item() * len(inputs)",
        N_("`item()` takes the plain number out of the tensor; a smaller last batch counts less."),
    )
    yield Line(
        '    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4g}")',
        N_("The mean loss of this epoch. It should fall from line to line."),
    )
    yield Line("", "")
    comment = translate(N_("How good is it on data that it has not seen?"), language)
    yield Line(
        f"# {comment}",
        N_(
            "The training loss also falls when a network only memorises. So the final score comes "
            "from the validation data."
        ),
    )
    yield Line(
        "with torch.no_grad():",
        N_("Nothing is learned here, so PyTorch doesn't have to prepare for gradients."),
    )
    yield Line(
        "    outputs = model(X_val)",
        N_("Forward pass for all {n} validation examples at once."),
        {"n": VALIDATION},
    )
    if choices.classes:
        yield _ACCURACY[choices.loss]
        yield Line(
            'print(f"validation accuracy: {accuracy:.1%}")',
            N_("The final score: the share of right answers."),
        )
    else:
        yield Line(
            "error = (outputs - y_val).abs().mean()",
            N_("The average absolute error."),
        )
        yield Line(
            'print(f"validation, mean error: {error:.3f}")',
            N_("The final score: the mean error, in the unit of `y`."),
        )


_ACCURACY: Final[Mapping[str, Line]] = {
    "cross_entropy": Line(
        "accuracy = (outputs.argmax(dim=1) == y_val).float().mean()",
        N_(
            "`argmax` tells which of the two outputs is larger: that is the answer. How often is "
            "it right?"
        ),
    ),
    "bce": Line(
        "accuracy = ((outputs > 0) == (y_val == 1)).float().mean()",
        N_(
            "An output above 0 is a probability above 50%: the answer is class 1. How often "
            "is it right?"
        ),
    ),
    "mse": Line(
        "accuracy = ((outputs > 0.5) == (y_val == 1)).float().mean()",
        N_("An output above one half counts as class 1. How often is it right?"),
    ),
}
