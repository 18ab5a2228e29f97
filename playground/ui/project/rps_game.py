"""The game on the rock, paper, scissors page, and the student's own games."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from playground import prose
from playground.data import tables
from playground.data.dataset import Examples
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.projects.rps import PROJECT, hands
from playground.projects.rps import data as rps
from playground.projects.rps.data import MOVE_LABELS, MOVES, Game, Round
from playground.recipe import Recipe
from playground.rps_opponent.games import games
from playground.rps_opponent.match import LONGEST, PLAYERS, Match, Played, luck
from playground.rps_opponent.opponent import UNIFORM
from playground.runtime.run import Run
from playground.ui.charts import vega
from playground.ui.project.workbench import predictor_or_message
from playground.ui.shell import browser, desk_menu, language, palette
from playground.ui.shell.frame import fragment
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.problems import show_problems
from playground.ui.shell.widget_state import bind

# Digits, as letters would differ between languages, and Streamlit keeps R for itself.
KEYS: Final = {"rock": "1", "paper": "2", "scissors": "3"}
NAMES: Final = {
    "trained": N_("trained predictor"),
    "network": N_("my network"),
    "learning": N_("my network, learning from me"),
    "markov": N_("Markov chain"),
    "frequency": N_("frequency"),
    "random": N_("random"),
}
OUTCOMES: Final = (N_("A tie."), N_("You win."), N_("The machine wins."))
PLAYER: Final = palette.CLASSES[2]
MACHINE: Final = palette.CLASSES[5]

MATCH: Final = "rps.match"
FINISHED: Final = games("rps.finished")  # the games before this one
GAME: Final = games("rps.game")  # this one, once it has begun
OWN: Final = games("rps.own")  # those that training uses
PROBLEMS: Final = "rps.problems"


def match() -> Match:
    """The student's game; it stays until "New game", whatever page, tab or language is shown."""
    home = desk_menu.here()
    with home.lock:
        if MATCH not in home.live:
            begun = home.live[MATCH] = Match(len(_finished()))
            for rounds in home.things(GAME):
                begun.replay(rounds)
        found: Match = home.live[MATCH]
    return found


def _finished() -> list[list[Round]]:
    return desk_menu.here().things(FINISHED)


def play(now: Match, move: str, who: str) -> None:
    """One round; the game so far is kept."""
    home = desk_menu.here()
    with home.lock:  # another tab may throw at this moment
        now.play(move, who)
        home.played(now.played[-1].outcome)  # for the class board, if the student is on it
        home.put(GAME, [now.rounds()])
    desk_menu.in_address()


def new_game(rounds: list[Round] | None = None) -> None:
    """Put the game away and begin another, or go on from ``rounds`` of a file."""
    home, before = desk_menu.here(), match()
    if before.played:
        home.put(FINISHED, [*_finished(), before.rounds()])
    fresh = Match(before.seed + 1)
    fresh.follow(before.network.network, before.version)
    fresh.replay(rounds or [])
    home.live[MATCH] = fresh
    home.put(GAME, [fresh.rounds()] if fresh.played else [])
    desk_menu.in_address()
    match()


# --- The game -----------------------------------------------------------------------------


@fragment()
def game(run: Run) -> None:
    """Three buttons, and what becomes of them.

    A fragment of its own: a throw draws the game anew, not the charts of the training.
    """
    with part(_("Game")):
        _game(run)


def _game(run: Run) -> None:
    now = match()
    snapshot = run.snapshot()
    version = None if snapshot.active else (run, snapshot.history.steps, snapshot.over)
    now.follow(predictor_or_message(run), version)
    who = _choose()
    _buttons(now, who)
    last = now.played[-1] if now.played else None
    _last_round(last, len(now.played))
    with part(_("Charts")):
        _score(now)
        _accuracies(now)
        _rates(now)
    steps, loss, name = now.learner.steps, now.learner.loss, NAMES["learning"]
    learns = _("“{name}” learns from your moves while you play.", name=_(name))
    if loss is not None:
        learns = _(
            "“{name}” is learning from this game. Gradient steps so far: {n}. Loss: {loss}.",
            name=_(name),
            n=language.number(steps),
            loss=language.number(loss, 2),
        )
    st.caption(learns)
    st.button(
        _("New game"),
        icon=":material/restart_alt:",
        key="rps.new",
        on_click=new_game,
        disabled=last is None,
    )
    with st.expander(_("Does it peek?"), icon=":material/lock:"):
        _seal(now, who, last)


def _choose() -> str:
    st.selectbox(
        _("Who plays against you?"),
        PLAYERS,
        format_func={who: _(NAMES[who]) for who in PLAYERS}.__getitem__,
        **bind("rps.who", PLAYERS[0]),
        help=prose.sections("rps", language.current())["who"],
    )
    who: str = st.session_state["rps.who"]
    return who


def _buttons(now: Match, who: str) -> None:
    with st.container(key="rps-throws"):
        for place, move in zip(st.columns(3, gap="small"), MOVES, strict=True):
            place.button(
                _(MOVE_LABELS[move]),
                key=f"rps.{move}",
                shortcut=KEYS[move],
                width="stretch",
                on_click=play,
                args=(now, move, who),
            )


def _last_round(last: Played | None, rounds: int) -> None:
    """What the machine threw, who won, what it had expected, and how sure it was."""
    chances = dict(zip(MOVES, UNIFORM, strict=True))
    if last is None:
        said = _("**The machine has decided.** It knows nothing about you yet. Your move!")
        expected = _("Before the first round all three are equally likely.")
    else:
        mine, theirs = _sign(last.player_move), _sign(last.machine_move)
        said = f"**{_(OUTCOMES[last.outcome])}** " + _(
            "You: {mine}, machine: {theirs}.", mine=mine, theirs=theirs
        )
        expected = _("This round comes from a file.")
        if last.plan is not None:
            chances = last.plan.chances
            likely = last.plan.guess
            expected = _("It had no idea: all three were equally likely.")
            if chances[likely] > 0.34:
                expected = _(
                    "It was {share} sure that you would play {move}.",
                    move=_sign(likely),
                    share=language.percent(chances[likely], 0),
                )
    st.markdown(f"{said}  \n{expected}", unsafe_allow_html=True)  # of our own words alone
    browser.say(f"{said} {expected}" if last is not None else "", "answer", rounds)
    names = {move: _(MOVE_LABELS[move]) for move in MOVES}
    texts = ["1/3"] * 3 if max(chances.values()) <= 0.34 else None  # not one of 34%
    vega.probability_bars(chances, names, "rps.bars", height=115, texts=texts)


def _sign(move: str) -> str:
    return hands.beside(move, _(MOVE_LABELS[move]).lower())


def _score(now: Match) -> None:
    score, total = now.score(), len(now.played)
    lines = []
    for side, name in enumerate((_("You"), _("Machine"))):
        wins = language.counted("{n} win", "{n} wins", score.wins[side])
        share = language.percent(score.wins[side] / total, 0) if total else "–"
        row = _(
            "streak {now}, best {longest}",
            now=score.streak[side],
            longest=score.longest[side],
        )
        lines.append(f"**{name}**: {wins} ({share}) · {row}")
    rounds = language.counted("{n} round", "{n} rounds", total)
    ties = language.counted("{n} tie", "{n} ties", score.ties)
    st.markdown("  \n".join([*lines, f"{rounds}, {ties}"]))


def _rates(now: Match) -> None:
    """Both sides' share of wins over the rounds, and the band in which luck would leave it."""
    names = {1: _("you"), 2: _("machine")}
    wins = {1: 0, 2: 0}
    rows: list[dict[str, Any]] = []
    stride = -(-len(now.played) // vega.POINTS) or 1
    for n, one in enumerate(now.played, start=1):
        if one.outcome:
            wins[one.outcome] += 1
        if n % stride == 0 or n == len(now.played):
            low, high = luck(n)
            rows.append({"x": n, "low": low, "high": high})
            rows += [{"x": n, "y": wins[side] / n, "c": names[side]} for side in (1, 2)]
    scale = {"domain": [0, 1]}
    y = {
        "type": "quantitative",
        "title": _("share of wins"),
        "scale": scale,
        "axis": {"format": "%", "values": [0, 1 / 3, 2 / 3, 1]},
    }
    spec = {
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": _("round"),
                "scale": {"domain": [1, max(len(now.played), 20)], "nice": False},
                "axis": {"format": "d", "tickCount": 5, "grid": False},
            }
        },
        "layer": [
            {
                "mark": {"type": "area", "color": palette.LIMIT, "opacity": 0.25},
                "transform": [{"filter": "isValid(datum.low)"}],
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2.5},
                "transform": [{"filter": "isValid(datum.c)"}],
                "encoding": {
                    "y": {**y, "field": "y"},
                    "color": {
                        "field": "c",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": list(names.values()), "range": [PLAYER, MACHINE]},
                        "legend": {"orient": "top", "offset": 0, "padding": 0},
                    },
                },
            },
        ],
    }
    low, high = luck(max(len(now.played), 1))
    rounds = max(len(now.played), 1)
    alt = _(
        "Share of wins over {n} rounds: you {you}, machine {machine}; luck alone {low} to {high}",
        n=language.number(len(now.played)),
        you=language.percent(wins[1] / rounds, 0),
        machine=language.percent(wins[2] / rounds, 0),
        low=language.percent(low, 0),
        high=language.percent(high, 0),
    )
    vega.show(rows, spec, 185, "rps.rates", alt)
    band = _("Grey band: by pure luck, 95 of 100 games stay inside.")
    if now.played:
        band = _(
            "Grey band: by pure luck, 95 of 100 games stay inside, now from {low} to {high}.",
            low=language.percent(low, 0),
            high=language.percent(high, 0),
        )
    st.caption(band)


def _accuracies(now: Match) -> None:
    """How often each predictor counted on the right move, all on this same game."""
    labels = {**NAMES, "learning": N_("my network, learning")}  # short enough for an axis
    rows = [
        {"name": _(labels[name]), "p": share, "text": language.percent(share, 0)}
        for name, share in now.accuracy().items()
    ]
    y = {
        "field": "name",
        "type": "nominal",
        "sort": [row["name"] for row in rows],
        "title": None,
        "axis": {"labelLimit": 220, "labelOverlap": False, "labelFlush": False, "ticks": False},
    }
    x = {
        "field": "p",
        "type": "quantitative",
        "title": _("right guesses"),
        "scale": {"domain": [0, 1.12]},
        "axis": {"format": "%", "values": [0, 0.5, 1], "grid": False},
    }
    text = {"type": "text", "align": "left", "dx": 4, "color": palette.QUIET}
    spec = {
        "layer": [
            {
                "encoding": {"y": y, "x": x},
                "layer": [
                    {"mark": {"type": "bar", "color": palette.BAR, "cornerRadiusEnd": 3}},
                    {"mark": text, "encoding": {"text": {"field": "text"}}},
                ],
            },
            {
                "transform": vega.ONCE,
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": palette.LIMIT},
                "encoding": {"x": {"datum": 1 / 3}},
            },
        ]
    }
    said = ", ".join(f"{row['name']} {row['text']}" for row in rows)
    alt = _("Right guesses by predictor: {names}", names=said)
    vega.show(rows, spec, 52 + 19 * len(rows), "rps.accuracy", alt)


def _seal(now: Match, who: str, last: Played | None) -> None:
    """The coming move's fingerprint, and the last one's, which can be checked by now."""
    language.prose("rps", "seal")
    # Not st.code: for it alone a browser would load 1.5 MB.
    st.markdown(f"`{now.plans[who].sealed.fingerprint}`")
    if last is not None and last.plan is not None:
        sealed = last.plan.sealed
        st.markdown(_("Last round's fingerprint, and what it hid:"))
        shown = (sealed.fingerprint, f"sha256({sealed.salt} {sealed.move})")
        st.markdown("\n\n".join(f"`{line}`" for line in shown))


# --- The student's own games ---------------------------------------------------------------


def own_examples(recipe: Recipe) -> Examples | None:
    """The games that training uses, as the network's inputs; the same object until they change."""
    home = desk_menu.here()
    used = home.things(OWN)
    how = recipe.data["memory"], recipe.data["see_opponent"]
    found = home.derived(
        OWN, how, lambda: PROJECT.windows([Game.of(rounds) for rounds in used], recipe)
    )
    return found if len(found) else None


def own_games() -> None:
    """This session's games: let training use them, save them, load one."""
    home = desk_menu.here()
    used = home.things(OWN)
    st.markdown(
        _(
            "Your own rounds in the next training: {rounds}. To add more, play above or load a "
            "file, then press the button.",
            rounds=language.number(sum(map(len, used))),
        )
    )

    def use() -> None:
        now = match().rounds()
        home.put(OWN, [*_finished(), *([now] if now else [])])

    def remove() -> None:
        home.put(OWN, [])

    with st.container(horizontal=True):
        st.button(
            _("Add my games to the data"),
            icon=":material/check:",
            key="rps.use",
            on_click=use,
            help=_(
                "Adds all your games so far. Then press Train. After more rounds, press here again."
            ),
        )
        st.button(
            _("Remove all"),
            icon=":material/delete:",
            key="rps.remove",
            on_click=remove,
            disabled=not used,
        )
        st.download_button(
            _("Download this game"),
            lambda: tables.csv_bytes(rps.to_csv(match().rounds())),
            "rps-game.csv",
            "text/csv",
            icon=":material/download:",
            key="rps.download",
            on_click="ignore",
        )
    _load()


def _load() -> None:
    def read() -> None:
        file = st.session_state["rps.file"]
        if file is None:
            return
        try:
            rounds, problems = rps.from_csv(file.getvalue(), file.name)
        except PlaygroundError as error:
            st.session_state[PROBLEMS] = [Problem.of(error, file.name)]
            return
        st.session_state[PROBLEMS] = problems
        if rounds:
            new_game(rounds)
            st.toast(_("Rounds loaded: {n}. The game continues from there.", n=len(match().played)))

    st.file_uploader(
        _(
            "A game as a CSV file with the columns round, player_move, opponent_move (only the "
            "last {n} rounds are used)",
            n=language.number(LONGEST),
        ),
        type=["csv", "txt", "tsv"],
        key="rps.file",
        on_change=read,
    )
    show_problems(st.session_state.get(PROBLEMS, []))
