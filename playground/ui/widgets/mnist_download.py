"""The button that fetches all of MNIST, in a thread of its own, with progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import streamlit as st

from playground.data import mnist
from playground.errors import PlaygroundError
from playground.ui.shell.frame import fragment
from playground.ui.shell.language import _
from playground.ui.shell.once import once
from playground.ui.shell.problems import plain


@dataclass
class Fetch:
    """One download for the whole class: whoever presses first starts it, all see it."""

    share: float = 0.0
    running: bool = False
    error: PlaygroundError | None = None

    def start(self) -> None:
        if not self.running:
            self.running, self.share, self.error = True, 0.0, None
            # A daemon: it only waits for the network, and may die with the server.
            threading.Thread(target=self._work, name="fetch-mnist", daemon=True).start()

    def _work(self) -> None:
        try:
            mnist.fetch(mnist.folder(), self._progress)
        except PlaygroundError as error:
            self.error = error
        finally:
            self.running = False

    def _progress(self, share: float) -> None:
        self.share = share


@once
def _fetch() -> Fetch:
    return Fetch()


def offer_mnist() -> None:
    """Where the full set is not here yet: a button to fetch it, and how far it is."""
    fetch = _fetch()
    if mnist.best_source() == "full" and not fetch.running:
        return

    @fragment(run_every=0.5 if fetch.running else None)
    def show() -> None:
        if fetch.running:
            st.progress(fetch.share, text=_("Downloading MNIST (12 MB) …"))
            return
        if fetch.error is not None:
            st.error(plain(fetch.error.text(_)), icon=":material/cloud_off:")
        elif mnist.best_source() == "full":
            st.rerun()
        if st.button(
            _("Download all of MNIST (12 MB)"),
            icon=":material/download:",
            key="mnist.fetch",
            help=_(
                "70,000 digits instead of 5,000, through torchvision, into {folder}.",
                folder=mnist.folder().absolute(),
            ),
        ):
            fetch.start()
            st.rerun()

    show()
