"""Train, ask, keep and load a network from Python: what ``import playground`` gives."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from playground import prose
from playground.data import mnist
from playground.data.dataset import Dataset, Examples, Scaler
from playground.errors import PlaygroundError
from playground.export import onnx_file, weights
from playground.export.notebook import notebook
from playground.export.script import parts, script
from playground.facade import own_examples
from playground.fields import shown
from playground.history import EpochRow, History
from playground.i18n import LANGUAGES, N_
from playground.projects import project
from playground.projects.base import Predictor, Project
from playground.recipe import Recipe, unknown
from playground.training import Epoch, Step, evaluate, fit, steps_per_epoch

Watch = Callable[[Step | Epoch, int], None]


@dataclass(frozen=True)
class Trained:
    """A run that is over: what it was, what happened, and the network to use.

    ``history.ended`` says how it ended: "finished", "diverged", "patience", "target",
    "stopped" (Ctrl-C) or "loaded" (from a file). It can be pickled and copied.
    """

    recipe: Recipe
    history: History
    model: nn.Module
    scaler: Scaler
    own: Examples | None = None
    _made: list[Dataset] = field(default_factory=list, repr=False, compare=False)

    @property
    def dataset(self) -> Dataset:
        """The data it learned from; a loaded network's are made now, with ``own`` joined."""
        if not self._made:
            made = project(self.recipe.project).load(self.recipe, self.own)
            self._made.append(replace(made, scaler=self.scaler))
        return self._made[0]

    @property
    def predictor(self) -> Predictor:
        """The network with all that it needs to be asked."""
        return Predictor(project(self.recipe.project), self.recipe, self.model, self.scaler)

    def test(self) -> dict[str, float]:
        """Loss and figures on the test set, which nothing was chosen by."""
        return evaluate(self.model, self.dataset.test, self.dataset, self.recipe)

    def predict(self, raw: Any) -> Any:
        """The network's answer to what a person gives, or a list of answers to many.

        A picture is a path, bytes, an open file, a PIL image, an array, a tensor or nested
        lists; which numbers it may have says :func:`playground.data.drawings.grey_of`. A row is
        ``{column: value}`` or the values in order; the moves of rock, paper, scissors are a
        list of names. Many at once are a list of these, a data frame, or an array of N×1×H×W.

        Returns:
            An :class:`Answer`, or a list of them in order.

        Raises:
            PlaygroundError: an input that cannot be one (an empty drawing, a value out of
                range), and why.
        """
        many = project(self.recipe.project).several(raw)
        if many is None:
            return self.predictor.predict(raw)
        return [self.predictor.predict(one) for one in many]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the network to a file, by its ending; the file's path is returned.

        ``.safetensors``: weights with recipe and figures, which :func:`load` and the
        pages read. ``.onnx``: for other programs. ``.json``: the recipe alone.

        Raises:
            PlaygroundError: another ending, or a file that cannot be written.
        """
        target = Path(path)
        match target.suffix.lower():
            case ".safetensors":
                raw = weights.save(self.predictor, self.history)
            case ".onnx":
                raw = onnx_file.save(self.predictor)
            case ".json":
                raw = weights.to_json(self.recipe)
            case other:
                raise unknown(other, [".safetensors", ".onnx", ".json"])
        return write(target, raw)

    def script(self) -> str:
        """The run as one Python file that prints the same figures."""
        return script(self.recipe, self.history, self.own)

    def notebook(self, language: str = "en") -> str:
        """The same as a Jupyter notebook (JSON), with a text before each part: "en" or "pl"."""
        if language not in LANGUAGES:
            raise unknown(language, LANGUAGES)
        found = parts(self.recipe, self.history, self.own)
        return notebook(found, prose.sections("export", language))


def train(
    name: str, own: Examples | None = None, watch: Watch | None = None, **overrides: Any
) -> Trained:
    """Train the project ``name`` to the end and return the finished run.

    ``overrides`` are fields of :class:`Recipe`, for example ``epochs=2, seed=0``, or
    ``preset="best"`` to start from one of the project's presets. ``own`` examples join
    the training data, see :func:`table`; ``watch`` is called with each event of the training
    loop and the run's total number of steps.

    Ctrl-C (in a notebook: interrupt) ends the training after its present step and returns what
    was learned so far, with ``history.ended == "stopped"``. A second one breaks off.

    Raises:
        RecipeError: an unknown project, preset or field; the error names the nearest.
        FieldError: a value out of its field's range.
        PlaygroundError: own examples of another kind.
    """
    return run(recipe_of(project(name), overrides), own, watch)


def recipe_of(kind: Project, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe that :func:`train` makes of its keywords."""
    changes = dict(overrides)
    preset = changes.pop("preset", None)
    return kind.recipe(**changes) if preset is None else kind.preset(preset, **changes)


def run(recipe: Recipe, own: Examples | None = None, watch: Watch | None = None) -> Trained:
    """Train exactly what ``recipe`` says; see :func:`train`."""
    kind = project(recipe.project)
    recipe = kind.check(recipe)
    own = own_examples.checked(kind, recipe, own)
    if not recipe.threads:
        recipe = recipe.with_(threads=os.cpu_count() or 1)
    before = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        dataset = kind.load(recipe, own)
        model = kind.build(recipe)
        history = History(data=dataset.describe())
        total = recipe.epochs * steps_per_epoch(recipe, dataset)
        started = time.monotonic()
        events = fit(model, dataset, recipe)
        with _interrupt() as interrupted:
            while history.ended is None:
                try:
                    event = next(events)
                except StopIteration as end:
                    history.ended = end.value
                    break
                seconds = time.monotonic() - started
                history.add(event, seconds, seconds)
                try:
                    if watch is not None:
                        watch(event, total)
                except KeyboardInterrupt:
                    interrupted.set()
                # After an epoch's last step its figures are still to come.
                whole = isinstance(event, Epoch) or history.steps % (total // recipe.epochs)
                if interrupted.is_set() and whole and history.ended is None:
                    history.ended = "stopped"
    finally:
        torch.set_num_threads(before)
    return Trained(recipe, history, model.eval(), dataset.scaler, own, [dataset])


@contextmanager
def _interrupt() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C instead of breaking off in the middle of a step."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # Python gives signals to the main thread alone
        return

    def note(_number: int, _frame: Any) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def load(path: str | os.PathLike[str], own: Examples | None = None) -> Trained:
    """Read the network that :meth:`Trained.save` or a page wrote as ``.safetensors``.

    It can be asked at once; its data set is made when ``test()`` or ``dataset`` wants it.
    With ``own`` are meant the examples of one's own that it was trained with, if any.

    Raises:
        PlaygroundError: no such file, or not a network of this playground; and why.
    """
    target = Path(path)
    try:
        with target.open("rb") as file:
            raw = file.read(weights.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _file_error(N_("{name} cannot be read: {reason}."), path, error) from error
    kept = weights.load(raw)
    kind = project(kept.recipe.project)
    model = kind.build(kept.recipe)
    model.load_state_dict(kept.weights)
    history = History(ended="loaded")
    if kept.figures is not None:
        figures = kept.figures
        row = EpochRow(figures.epoch, 0, dict(figures.train), dict(figures.validation), 0.0, 0.0)
        history.epochs.append(row)
    own = own_examples.checked(kind, kept.recipe, own)
    return Trained(kept.recipe, history, model.eval(), kept.scaler, own)


def table(
    name: str, path: str | os.PathLike[str], skip: bool = False, **overrides: Any
) -> Examples:
    """The examples in a person's own file, for ``train(name, own=...)``.

    A CSV with the columns of the project ``name`` (for "rps": the rounds of a game), read as
    the pages' uploads are. For "digits" and "shapes" it is a ZIP with a folder for each class.
    ``overrides`` are those of the training, where they change the inputs: the picture size,
    how many moves are seen. ``skip`` leaves out what cannot be used, which else is an error.

    Raises:
        PlaygroundError: what cannot be used, and where it stands.
    """
    kind = project(name)
    return own_examples.read(kind, path, recipe_of(kind, overrides), skip)


def fetch(name: str = "mnist", progress: Callable[[float], None] = lambda _share: None) -> Path:
    """Download a data set into the data folder; the folder is returned.

    "mnist": all 70,000 digits (12 MB), which "digits" takes from then on. The folder is
    ``data``, or what ``PLAYGROUND_DATA`` names.

    Raises:
        PlaygroundError: another name; no network, no space or no permission.
    """
    if name != "mnist":
        raise unknown(name, ["mnist"])
    where = mnist.folder()
    if mnist.best_source() != "full":
        mnist.fetch(where, progress)
    return where


def write(path: Path, content: bytes | str) -> Path:
    """Write a file, text as UTF-8.

    Raises:
        PlaygroundError: it cannot be written, and why.
    """
    raw = content.encode() if isinstance(content, str) else content
    try:
        path.write_bytes(raw)
    except (OSError, ValueError) as error:
        raise _file_error(N_("{name} cannot be written: {reason}."), path, error) from error
    return path


def _file_error(
    message: str, path: str | os.PathLike[str], error: OSError | ValueError
) -> PlaygroundError:
    reason = getattr(error, "strerror", None) or str(error)
    return PlaygroundError(message, name=shown(str(path)), reason=reason)
