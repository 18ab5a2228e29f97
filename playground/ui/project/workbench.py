"""The part of a project page that moves: train, watch, try.

One fragment that refreshes while a run is active. It only *reads* snapshots of the run;
nothing here trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from playground.data.dataset import Dataset, Examples
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.limits import LimitError
from playground.optimizers import Settings
from playground.projects.base import Predictor
from playground.recipe import Recipe
from playground.runtime.page_queue import RateLimit
from playground.runtime.run import Run, Snapshot, Until
from playground.ui.charts import vega
from playground.ui.charts.vega import Line
from playground.ui.project import hints
from playground.ui.shell import browser, language
from playground.ui.shell.frame import fragment, kept, runs, service
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.problems import plain
from playground.ui.shell.server import TURNS
from playground.ui.shell.widget_state import bind
from playground.ui.widgets.controls import LISTS, Panel
from playground.ui.widgets.recipe_words import unit_of

ENDINGS: Final = {
    "patience": N_("Finished: early stopping"),
    "target": N_("Finished: target reached"),
    "loaded": N_("Loaded from a file"),
}
REFRESH: Final = "workbench.refresh"
WATCH: Final = 6.0  # seconds between two looks at what another tab of the desk did
ROOM: Final = 210  # pixels for what is said below the charts, whether it is there or not
STALE: Final = 1.3  # times by which a timer may be off before it is set anew
PACE: Final = RateLimit(0.5)  # that costs a page, and a class that comes in may have it all at once
STATES: Final = {
    "ready": N_("Untrained: its weights are random. Press Train."),
    "waiting": N_("Getting the data ready …"),
    "running": N_("Training"),
    "paused": N_("Paused"),
    "finished": N_("Finished"),
    "stopped": N_("Stopped"),
    "diverged": N_("Diverged"),
    "failed": N_("Failed"),
}


def current_run(panel: Panel, recipe: Recipe, own: Examples | None = None) -> Run:
    """The session's run of this project; an untrained one follows the sliders.

    A run that has begun is never replaced by a slider: learning rate and weight decay
    take effect at its next step, everything else at the next Train or Reset.
    """
    found = runs().get(panel.project.name)
    if found is None or (found.state == "ready" and not _same(found, recipe, own)):
        return _fresh(panel, recipe, own)
    if not found.over:
        _follow(found, Settings(recipe.learning_rate, recipe.weight_decay))
    return found


def _follow(run: Run, wanted: Settings) -> None:
    """Let a run take a slider that was moved here; another tab of this desk may have its own."""
    key = f"{run.project.name}.settings"
    last: tuple[Run, Settings] | None = st.session_state.get(key)
    if last is None or last[0] is not run:
        st.session_state[key] = (run, wanted)
    elif last[1] != wanted:
        st.session_state[key] = (run, wanted)
        service().change(run, wanted)


def _same(run: Run, recipe: Recipe, own: Examples | None) -> bool:
    return run.recipe == recipe and run.own is own


def _fresh(panel: Panel, recipe: Recipe, own: Examples | None) -> Run:
    run = Run(panel.project, recipe, own)
    take_over(run)
    return run


def take_over(run: Run) -> None:
    """Make ``run`` its page's; the one before it is kept, if it had begun."""
    name = run.project.name
    last = runs().get(name)
    if last is not None and last.state != "ready":
        st.session_state[f"{name}.before"] = last  # to compare with
        kept().take(last)
    if last is not None and last.state == "ready":
        service().leave(last)  # nobody wants its data any more
    run.share = kept().share  # from now on, as drawing its data takes a worker's time too
    runs()[name] = run


def pending(run: Run, recipe: Recipe) -> list[str]:
    """The fields whose sliders have moved since this run began and wait for the next one."""
    live = {"learning_rate", "weight_decay", "threads"}
    now, then = recipe.to_dict(), run.recipe.to_dict()
    return [name for name in now if name not in live and now[name] != then[name]]


def refresh_interval() -> float:
    """Seconds between refreshes: longer the more runs share the machine, never above 2."""
    return min(0.5 + 0.05 * max(service().active - 1, 0), 2.0)


def refresh_page(message: str) -> None:
    """From a callback inside the workbench: draw the whole page, and then say ``message``."""
    st.session_state[REFRESH] = message


def workbench(
    panel: Panel,
    recipe: Recipe,
    own: Examples | None,
    try_it: Callable[[Run], None],
    lines: Callable[[Run], dict[str, Sequence[Line]]] = lambda _run: {},
) -> None:
    """Buttons and live charts (middle), the thing to try (right).

    ``try_it(run)`` draws the right column. ``lines(run)`` are lines to compare with, by
    figure.
    """
    if REFRESH in st.session_state:
        st.toast(st.session_state.pop(REFRESH))
    run = current_run(panel, recipe, own)
    if st.session_state.pop(f"{panel.project.name}.begin", False):
        _begin_anew(panel, recipe, own, run)
        run = current_run(panel, recipe, own)
    loaded = run.loaded or _load(run)
    interval = refresh_interval() if run.active or not loaded else None

    fresh = run.state == "ready"

    @fragment(run_every=interval)
    def live() -> None:
        if not run.loaded:
            service().load(run, patience=0.0)  # this page still waits for it
        right, middle = st.columns([1, 1.75], gap="medium")  # turned round, see project_page
        snapshot = service().look(run)
        with middle:
            with part(_("Buttons")):
                _buttons(panel, recipe, own, run, snapshot)
            with part(_("Progress")), st.container(key="status"):
                _status(snapshot, panel.refused is not None)
            found: dict[str, Sequence[Line]] = {}
            with part(_("Comparison")):
                found = lines(run)
            with part(_("Charts")):
                _charts(panel, snapshot, found)
            # Always as high, so that nothing below moves when something is said.
            with st.container(height=ROOM, border=False, key="said"):
                if panel.refused is not None:
                    st.error(panel.refused.text(_), icon=":material/block:")
                elif (no_room := _no_room(run)) is not None:
                    st.error(no_room.text(_), icon=":material/block:")
                with part(_("Notice")):
                    _notice(panel, recipe, run, snapshot)
                with part(_("Hints")):
                    anew = partial(begin_anew, panel.project.name)
                    hints.show(panel, recipe, run, snapshot, found, refresh_page, anew)
            _legend(snapshot.recipe)
        with right, st.container(key="try"), part(_("Try it")):
            try_it(run)
        # The timer belongs to the whole page, so that is drawn once more when a run begins
        # or ends, when its pace is not right any more, or when it ended while this was being
        # drawn. Last of all: a fragment that breaks off loses what it has not drawn, and a
        # canvas that was lost for a moment comes back empty.
        now = runs().get(panel.project.name)
        if now is None:  # the desk was deleted in another tab, or opened on another server
            st.rerun()
        ticking, wanted = interval is not None, now.active or not now.loaded
        ended = snapshot.active != now.active
        # Others have come or gone since: all are to see the same number of pictures a second.
        pace = refresh_interval()
        stale = interval is not None and not 1 / STALE < pace / interval < STALE and PACE.allow()
        # The page around this puts a run that has begun on the desk, and into the address.
        begun = fresh and now.state != "ready"
        asked = stale or REFRESH in st.session_state or begun
        if now is not run or ticking != wanted or ended or asked:
            st.rerun()

    live()
    if interval is None:
        _watch(run)


def _watch(run: Run) -> None:
    """While nothing moves here: another tab of this desk may let it train, or begin another."""
    drawn = run.state

    @fragment(run_every=WATCH)
    def look() -> None:
        now = runs().get(run.project.name)
        if now is not run or now.state != drawn:
            st.rerun()

    with st.container(key="watch"):
        look()


def begin_anew(name: str) -> None:
    """From a callback: train a new network with the settings as the page next finds them."""
    st.session_state[f"{name}.begin"] = True


def _begin_anew(
    panel: Panel, recipe: Recipe, own: Examples | None, run: Run, until: Until = "end"
) -> None:
    """Train a new network instead of ``run``, which stays as it is where there is no room."""
    chosen = Run(panel.project, recipe, own)
    chosen.share = kept().share
    if not _started(chosen, until, run):
        return
    service().stop(run)
    take_over(chosen)  # only now, as the network of before is there to try
    kept()


def _started(chosen: Run, until: Until, shown: Run) -> bool:
    """Start ``chosen``; if that is refused, the page of ``shown`` says why."""
    key = f"{shown.project.name}.no-room"
    try:
        service().start(chosen, until)
    except LimitError as error:
        st.session_state[key] = (shown, error)
        return False
    st.session_state.pop(key, None)
    return True


def _no_room(run: Run) -> LimitError | None:
    """Why ``run``, or the one after it, was not started at the last press, if so."""
    refused: tuple[Run, LimitError] | None = st.session_state.get(f"{run.project.name}.no-room")
    return refused[1] if refused is not None and refused[0] is run and not run.active else None


def _load(run: Run) -> bool:
    with TURNS.released():
        return service().load(run)


def _buttons(
    panel: Panel, recipe: Recipe, own: Examples | None, run: Run, snapshot: Snapshot
) -> None:
    name = panel.project.name

    def begin(until: Until = "end") -> None:
        if run.over:
            anew(until)
        elif _started(run, until, run):
            kept()  # on the desk at once, whatever the page does next

    def anew(until: Until = "end") -> None:
        _begin_anew(panel, recipe, own, run, until)

    def reset() -> None:
        service().stop(run)
        _fresh(panel, recipe, own)

    # A run that has begun may go on: it is not the one that was refused.
    refused = panel.refused is not None and (snapshot.over or snapshot.state == "ready")
    active, paused = snapshot.active, snapshot.state == "paused"
    changed = paused and panel.refused is None and bool(pending(run, recipe))
    label, icon = (_("Resume") if paused else _("Train")), "play_arrow"
    if active:
        label, icon = _("Pause"), "pause"
    elif changed:
        label, icon = _("Train from scratch"), "restart_alt"
    elif run.goes_on_from is not None:
        label = _("Continue from epoch {n}", n=run.goes_on_from)
    with st.container(horizontal=True, gap="small", key="transport"):
        st.button(
            label,
            icon=f":material/{icon}:",
            type="primary",
            key=f"{name}.main",
            shortcut="t",
            disabled=refused,
            on_click=(lambda: service().pause(run)) if active else anew if changed else begin,
        )
        st.button(
            _("1 batch"),
            icon=":material/skip_next:",
            key=f"{name}.batch",
            disabled=active or snapshot.over or refused,
            help=_("One optimisation step."),
            on_click=begin,
            args=("batch",),
        )
        st.button(
            _("1 epoch"),
            icon=":material/fast_forward:",
            key=f"{name}.epoch",
            disabled=active or snapshot.over or refused,
            help=_("Once through all training examples."),
            on_click=begin,
            args=("epoch",),
        )
        st.button(
            _("Stop"),
            icon=":material/stop:",
            key=f"{name}.stop",
            disabled=not active and not paused,
            on_click=service().stop,
            args=(run,),
            help=_("End this run. The network stays as it is and can be used."),
        )
        st.button(
            _("Reset"),
            icon=":material/restart_alt:",
            key=f"{name}.reset",
            disabled=snapshot.state == "ready" or panel.refused is not None,
            on_click=reset,
            help=_("Back to random weights, with the settings as they are now."),
        )


def _status(snapshot: Snapshot, refused: bool) -> None:
    """Where the run stands, in one line of a fixed height, and a bar."""
    history = snapshot.history
    done = history.steps / snapshot.steps_total if snapshot.steps_total else 0.0
    ending = ENDINGS.get(history.ended or "", STATES[snapshot.state])
    parts = [_(ending)]
    if snapshot.made is not None and snapshot.state in ("ready", "waiting"):
        count, total = snapshot.made
        done = count / total if total else 0.0
        parts = [
            _(
                "Getting the data ready: {n} of {total} drawn",
                n=language.number(count),
                total=language.number(total),
            )
        ]
    if refused and snapshot.state == "ready":
        parts = [_("These settings can't be trained. You can still use the previous network.")]
    if snapshot.steps_total:
        epoch = min(history.epochs[-1].epoch + 1 if history.epochs else 1, snapshot.recipe.epochs)
        parts.append(_("epoch {n} of {total}", n=epoch, total=snapshot.recipe.epochs))
        each = snapshot.steps_total // snapshot.recipe.epochs
        if snapshot.state == "paused" and history.losses and history.steps % each:
            parts.append(_("batch {n} of {total}", n=history.steps % each, total=each))
            parts.append(_("its loss {loss}", loss=language.number(history.losses[-1], 3)))
        else:
            parts.append(_("{n} steps/s", n=language.number(snapshot.steps_per_second)))
        if snapshot.active and snapshot.seconds_left is not None:
            parts.append(_("{time} left", time=language.seconds(snapshot.seconds_left)))
        elif not snapshot.active:
            parts.append(_("trained for {time}", time=language.seconds(history.training)))
    text = " · ".join(parts)
    st.progress(min(done, 1.0), text=text)
    browser.say("" if snapshot.active or snapshot.state == "ready" else text, "run")


def _notice(panel: Panel, recipe: Recipe, run: Run, snapshot: Snapshot) -> None:
    """What needs saying about the run. Below the charts, so that they do not jump."""
    if snapshot.state == "failed" and snapshot.error is not None:
        st.error(plain(snapshot.error.text(_)), icon=":material/error:")
    elif snapshot.state == "paused" and pending(run, recipe):
        _changed(panel, recipe, run)
    elif snapshot.history.ended == "patience":
        best = min(snapshot.history.epochs, key=lambda row: row.validation["loss"])
        st.info(
            _(
                "Early stopping: for {n} epochs the validation loss was no lower than {loss}. The "
                "best weights on validation, from epoch {epoch}, were restored.",
                n=snapshot.recipe.patience,
                loss=language.number(best.validation["loss"], 4),
                epoch=best.epoch,
            ),
            icon=":material/flag:",
        )
    elif snapshot.history.ended == "target":
        reached = snapshot.history.epochs[-1]
        st.info(
            _(
                "Target reached: {accuracy} on validation after epoch {epoch}.",
                accuracy=language.percent(reached.validation["accuracy"], 2),
                epoch=reached.epoch,
            ),
            icon=":material/flag:",
        )
    elif snapshot.history.ended == "loaded":
        st.info(
            _(
                "This network comes from a file, so there are no curves of its training. Train or "
                "Reset begins a new one, with the settings as they are now."
            ),
            icon=":material/upload_file:",
        )
    elif run.goes_on_from is not None and snapshot.state == "paused":
        st.info(
            _(
                "The server was restarted while this run trained. Everything up to epoch {n} was "
                "saved. Press Resume, and training continues from there with exactly the same "
                "numbers.",
                n=run.goes_on_from,
            ),
            icon=":material/history:",
        )
    elif snapshot.pausing_unwatched and snapshot.state == "paused":
        st.info(_("Paused, because nobody was watching. Press Resume to continue."))
    elif snapshot.state != "ready" and pending(run, recipe):
        _changed(panel, recipe, run)


def _changed(panel: Panel, recipe: Recipe, run: Run) -> None:
    """Which sliders wait for the next run; a paused one may go on all the same."""
    names = ", ".join(_moved(panel, recipe, run, name) for name in pending(run, recipe))
    if run.state != "paused":
        st.caption(
            ":material/info: "
            + _(
                "Changed since this run began: {names}. Takes effect the next time you press "
                "Train or Reset.",
                names=names,
            )
        )
        return

    def resume() -> None:
        _started(run, "end", run)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            ":material/info: "
            + _("Changed: {names}. This run continues without the change.", names=names),
            width="content",
        )
        st.button(
            _("Resume"),
            icon=":material/play_arrow:",
            key=f"{panel.project.name}.resume",
            on_click=resume,
        )


def _moved(panel: Panel, recipe: Recipe, run: Run, name: str) -> str:
    """What the moved slider of a field is called: a list has one for each of its numbers."""
    if name not in panel.by_name:
        return _("Data")
    if name in LISTS:
        now, then = getattr(recipe, name), getattr(run.recipe, name)
        if len(now) == len(then):
            places = [n for n, (a, b) in enumerate(zip(now, then, strict=True), 1) if a != b]
            return ", ".join(_(LISTS[name][1], n=n) for n in places)
    return _(panel.by_name[name].label)


def _charts(panel: Panel, snapshot: Snapshot, lines: dict[str, Sequence[Line]]) -> None:
    unit = unit_of(panel.project)
    name = panel.project.name
    steps = vega.shown(snapshot.history.steps, snapshot.steps_total)
    metric = panel.project.metric
    figure, title = metric.name, _(metric.label) + (f" [{unit}]" if unit else "")
    logarithmic = bool(st.session_state.get(f"{name}.log", True))
    beside = [line for which in ("loss", figure) for line in lines.get(which, ())]
    vega.loss_chart(
        snapshot.history,
        steps,
        f"{name}.loss-chart",
        lines.get("loss", ()),
        _loss_unit(snapshot.recipe, unit),
        logarithmic,
        beside,
    )
    vega.metric_chart(
        snapshot.history,
        figure,
        title,
        steps,
        f"{name}.figure-chart",
        lines.get(figure, ()),
        logarithmic,
        beside,
    )
    st.toggle(
        _("Logarithmic axis"),
        **bind(f"{name}.log", True),
        help=_("Each step of the axis is ten times the one before: small losses stay visible."),
    )


# What else differs while a network trains: (augmentation, dropout) -> how it is said.
BESIDES: Final = {
    (False, False): "",
    (True, False): N_(", with augmentation"),
    (False, True): N_(", with dropout"),
    (True, True): N_(", with augmentation and dropout"),
}


def _legend(recipe: Recipe) -> None:
    """What the lines were measured on. Last of all, so that what needs saying is in sight."""
    besides = BESIDES[recipe.augmentation > 0, recipe.dropout > 0]
    st.caption(
        _(
            "Batch and train: measured while the weights move{besides}. "
            "Validation: after each epoch, on examples that training never sees.",
            besides=_(besides) if besides else "",
        )
    )


def _loss_unit(recipe: Recipe, unit: str) -> str:
    """The unit of a regression's loss: squared, unless the loss is the plain distance."""
    return f"{unit}²" if unit and recipe.loss != "l1" else unit


def dataset_or_message(run: Run) -> Dataset | None:
    """The run's data set; None (and why, on the page) if it is not there, or not yet."""
    if not run.loaded:
        st.caption(_("Getting the data ready …"))
        return None
    try:
        return run.dataset()
    except PlaygroundError as error:
        st.error(plain(error.text(_)), icon=":material/error:")
        return None


def sizes(dataset: Dataset) -> None:
    """How many examples each split has, and how many are the student's own."""
    st.markdown(
        _(
            "Examples: train {train}, validation {validation}, test {test}; of your own: {own}.",
            train=language.number(len(dataset.train)),
            validation=language.number(len(dataset.validation)),
            test=language.number(len(dataset.test)),
            own=language.number(dataset.own),
        )
    )


def predictor_or_message(run: Run) -> Predictor | None:
    """The run's network as it is now; None (and why, on the page) without its data."""
    if not (run.answers and (not run.loaded or run.from_file)) and dataset_or_message(run) is None:
        return None
    return run.predictor()
