"""Pictures on a page: grids of small grey ones, and the student's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from playground import data_url
from playground.data.dataset import Examples
from playground.data.drawings import grey_of
from playground.data.messages import Problem
from playground.data.pictures import (
    ENDINGS,
    MAX_BYTES,
    MAX_PICTURES,
    Pictures,
    load_many,
    load_picture,
    load_zip,
)
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.projects.picture import PictureProject
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.storage.codecs import Picture, pictures
from playground.ui.shell import desk_menu, language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.problems import plain, show_problems
from playground.ui.shell.widget_state import bind

TILE: Final = 56  # pixels a side, as in style.css
KEPT: Final = 256  # pixels: the longest side of a picture that is kept, in grey
SHOWN: Final = 60  # of a student's own pictures


def enlarged(picture: Tensor, side: int = TILE) -> npt.NDArray[np.uint8]:
    """(h, w) uint8 -> about (side, side), each pixel a square: what the network really sees."""
    factor = max(1, side // picture.shape[0])
    pixels: npt.NDArray[np.uint8] = picture.numpy().repeat(factor, axis=0).repeat(factor, axis=1)
    return pixels


def grid(pictures: Sequence[Tensor] | Tensor, captions: Sequence[str], alt: str) -> None:
    """Small pictures in rows, each with a caption."""
    _grid([data_url.png(picture.numpy()) for picture in pictures], captions, alt)


def _grid(addresses: Sequence[str], captions: Sequence[str], alt: str) -> None:
    """One element: as images of their own they would be a third of what a page sends."""
    figures = (
        f'<figure><img src="{one}" alt="{escape(f"{alt}: {caption}")}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for one, caption in zip(addresses, captions, strict=True)
    )
    st.html(f'<div class="tiles">{"".join(figures)}</div>')


_sampled: Final = WeakKeyDictionary[Examples, tuple[list[str], list[int]]]()


def samples(examples: Examples, names: Sequence[str], count: int = 24) -> None:
    """A fixed, even walk through ``examples``: all classes, old and new ones alike."""
    if examples not in _sampled:  # made once a data set: all pages of a class show the same
        which = torch.linspace(0, len(examples) - 1, count).long()
        inputs, targets = examples[which]
        _sampled[examples] = ([data_url.png(one.numpy()) for one in inputs], targets.tolist())
    addresses, classes = _sampled[examples]
    _grid(addresses, [names[one] for one in classes], _("Training picture"))


def photo(raw: bytes, name: str) -> Image.Image | None:
    """The picture in an uploaded file; None, and why on the page, if it cannot be read."""
    try:
        return load_picture(raw, name)
    except PlaygroundError as error:
        st.error(plain(error.text(_)), icon=":material/broken_image:")
        return None


@dataclass
class OwnPictures:
    """The student's own labelled pictures of one project; they join the next training.

    They are kept as a person gave them, in grey and at most 256 pixels long, and encoded
    by the project when a run needs them, since a recipe may ask for another size.
    """

    project: PictureProject

    def __post_init__(self) -> None:
        self.key = f"{self.project.name}.own"
        self.kind = pictures(self.key, tuple(self.project.labels))
        self.names = [
            _(self.project.label_names.get(label, label)) for label in self.project.labels
        ]

    @property
    def items(self) -> list[Picture]:
        """All of them, those of another tab of this desk too."""
        return desk_menu.here().things(self.kind)

    def add(self, raw: Any, label: int) -> None:
        """Keep one picture, which the project's encoder has taken."""
        small = _small(raw)
        with desk_menu.here().lock:
            items = self.items
            if items and items[-1][1] == label and np.array_equal(items[-1][0], small):
                return  # one click that came twice
            self._set([*items, (small, label)])

    def remove_all(self) -> None:
        self._set([])

    def _set(self, items: list[Picture]) -> None:
        desk_menu.here().put(self.kind, items)
        desk_menu.in_address()

    def examples(self, recipe: Recipe) -> Examples | None:
        """All of them as ``recipe`` wants inputs, the same object until something changes."""
        items = self.items
        if not items:
            return None

        def made() -> Examples:
            inputs = [self.project.encode(picture, recipe) for picture, _label in items]
            labels = [label for _picture, label in items]
            return Examples(torch.stack(inputs), torch.tensor(labels))

        return desk_menu.here().derived(self.kind, self.project.input_shape(recipe), made)

    def upload(self) -> None:
        """Files of one class, or a ZIP with a folder a class."""
        turn = st.session_state.setdefault(f"{self.key}.turn", 0)
        key = f"{self.key}.files.{turn}"
        which = f"{self.key}.class"

        def read() -> None:
            files = [(file.name, file.getvalue()) for file in st.session_state[key]]
            label = self.project.labels[st.session_state[which]]
            problems: list[Problem] = []
            for name, raw in files:
                try:
                    if name.lower().endswith(".zip"):
                        kind = self.project
                        found = load_zip(raw, kind.labels, kind.folders, name, prepare=_thumb)
                    else:
                        found = load_many([(name, raw)], label, prepare=_thumb)
                except PlaygroundError as error:
                    problems.append(Problem.of(error, name))
                    continue
                problems += found.problems + self._keep(found)
            st.session_state[f"{self.key}.problems"] = problems
            # A new key empties the box: what is in it would be read again with the next file.
            st.session_state[f"{self.key}.turn"] = turn + 1

        choose, drop = st.columns([1, 2.4], vertical_alignment="bottom")
        choose.selectbox(
            _("The files show a …"),
            range(len(self.names)),
            format_func=self.names.__getitem__,
            **bind(which, 0),
            help=_(
                "For single files. In a ZIP, folder names decide: {names}.",
                names=", ".join(self.project.labels),
            ),
        )
        drop.file_uploader(
            _(
                "Your own pictures, or a ZIP with a folder for each class (at most {size} MB each; "
                "make photos smaller first)",
                size=MAX_BYTES // 1_000_000,
            ),
            type=[*ENDINGS, "zip"],
            accept_multiple_files=True,
            key=key,
            on_change=read,
        )
        show_problems(st.session_state.get(f"{self.key}.problems", []))

    def _keep(self, found: Pictures) -> list[Problem]:
        """Keep what can be encoded, up to the limit; the rest as problems."""
        items, problems = list(self.items), []
        for label, name, image in found.pictures:
            try:
                if len(items) >= MAX_PICTURES:
                    raise PlaygroundError(
                        N_("At most {limit} of your own pictures can be saved."),
                        limit=MAX_PICTURES,
                    )
                self.project.encode(image, self.project.recipe())
            except PlaygroundError as error:
                problems.append(Problem.of(error, name))
                continue
            items.append((_small(image), self.project.labels.index(label)))
        self._set(items)
        return problems

    def show(self, run: Run, before: Run | None) -> None:
        """The pictures, and how sure the network is of each: before and after they joined."""
        if not self.items:
            st.caption(_("None yet. Draw one above and say what it was."))
            return
        with part(_("Your own pictures")):
            self._show(run, before)
        st.button(
            _("Remove all"),
            icon=":material/delete:",
            key=f"{self.key}.remove",
            on_click=self.remove_all,
        )

    def _show(self, run: Run, before: Run | None) -> None:
        try:
            now = self._shares(run)
            then = self._shares(before) if before is not None else None
        except PlaygroundError as error:
            st.error(plain(error.text(_)), icon=":material/error:")
            return
        examples = self.examples(run.recipe)
        assert examples is not None
        known = learned(run.own, examples)
        captions = []
        for index, (_picture, label) in enumerate(self.items[:SHOWN]):
            text = f"{self.names[label]}: "
            if then is not None and known[index]:
                text += language.percent(then[index], 0) + " → "
            captions.append(text + language.percent(now[index], 0))
        grid(examples.inputs[:SHOWN], captions, _("Your picture"))
        there = {label for _picture, label in self.items}
        missing = [name for label, name in enumerate(self.names) if label not in there]
        if self.project.folders and len(self.names) < 5 and missing:
            st.caption(
                _(
                    "None of your own pictures shows: {names}. The network learns these from the "
                    "other pictures alone.",
                    names=", ".join(missing),
                )
            )
        st.caption(
            _(
                "How sure the network is of the right answer, before and after the last training. "
                "Once the network has trained on these pictures, they are no longer a test: draw "
                "a new one for that."
            )
        )

    def _shares(self, run: Run) -> list[float]:
        """The probability that a run's network gives to each picture's own label."""
        examples = self.examples(run.recipe)
        assert examples is not None
        probabilities = run.predictor().ask(examples.inputs)
        shares: list[float] = probabilities.gather(1, examples.targets[:, None])[:, 0].tolist()
        return shares


def learned(own: Examples | None, examples: Examples) -> list[bool]:
    """Of each picture in ``examples``, whether it is among those that a run was trained with."""
    if own is None or own.inputs.shape[1:] != examples.inputs.shape[1:]:
        return [False] * len(examples)
    then = {one.numpy().tobytes() for one in own.inputs}
    return [one.numpy().tobytes() in then for one in examples.inputs]


def _thumb(image: Image.Image) -> Image.Image:
    small = image.convert("L")
    small.thumbnail((KEPT, KEPT))
    return small


def _small(raw: Any) -> npt.NDArray[np.uint8]:
    """What a person gave, in grey (H, W), at most 256 pixels long."""
    grey = Image.fromarray(grey_of(raw).round().astype(np.uint8))
    return np.asarray(_thumb(grey))
