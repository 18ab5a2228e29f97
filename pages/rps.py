"""Rock, paper, scissors: the network guesses the next move, and a game to try it on."""

from typing import cast

import numpy as np
import streamlit as st

from playground.data import tables
from playground.i18n import N_
from playground.projects import project
from playground.projects.rps import Rps
from playground.projects.rps import data as rps
from playground.projects.rps.data import MOVES, Game
from playground.recipe import Recipe
from playground.rps_opponent import Frequency, Markov, Opponent
from playground.runtime.run import Run
from playground.ui.project import evaluation, rps_game
from playground.ui.project.baselines import comparison
from playground.ui.project.page import begin, project_page
from playground.ui.project.workbench import dataset_or_message, sizes
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.widgets.controls import Panel

RPS = cast(Rps, project("rps"))
begin(RPS)
NAMES = {move: _(name) for move, name in RPS.label_names.items()}
WATCHED = 8  # test players whose whole games the adaptive predictors are measured on


def data(panel: Panel, run: Run) -> None:
    language.prose("rps", "data")
    options, preview = st.columns([1, 2.4], gap="medium")
    with options:
        panel.show(*(field.name for field in RPS.data_fields))
    with preview, part(_("Examples")):
        dataset = dataset_or_message(run)
        if dataset is not None:
            sizes(dataset)
            if dataset.source != "own":
                one_player(RPS.parts(run.recipe).train)
    st.header(_("Your own games"), anchor=False)
    rps_game.own_games()


def one_player(games: list[Game]) -> None:
    """One simulated player's game, with the true chances that no predictor ever sees."""
    number = st.number_input(
        _("A training player, from 1 to {n}", n=len(games)), 1, len(games), key="rps.one"
    )
    game = games[number - 1]
    assert game.chances is not None
    rounds = game.rounds()
    columns = {
        _("Round"): game.numbers.tolist(),
        _("Player's move"): [NAMES[one.player_move] for one in rounds],
        _("Opponent's move"): [NAMES[one.opponent_move] for one in rounds],
    }
    for place, move in enumerate(MOVES):
        title = _("True chance: {move}", move=NAMES[move].lower())
        columns[title] = [language.percent(share, 0) for share in game.chances[:, place]]
    st.dataframe(columns, hide_index=True, height=320)
    st.download_button(
        _("Download this player's game"),
        lambda: tables.csv_bytes(rps.to_csv(rounds)),
        "rps-player.csv",
        "text/csv",
        icon=":material/download:",
        key="rps.one.download",
        on_click="ignore",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def adaptive(recipe: str) -> dict[str, float]:
    """Accuracy of those who watch whole games, on the first test players.

    "habits": to be expected of one who knows the players' true chances in these games.
    """
    games = RPS.parts(Recipe.from_json(recipe)).test[:WATCHED]
    found = {}
    for name, kind in (("trained", Opponent), ("markov", Markov), ("frequency", Frequency)):
        right = []
        for game in games:
            predictor = kind()
            for one in game.rounds():
                chances = predictor.expect()
                right.append(max(chances, key=chances.__getitem__) == one.player_move)
                predictor.see(one.player_move, one.opponent_move)
        found[name] = float(np.mean(right))
    known = [one.chances for one in games if one.chances is not None]
    found["habits"] = float(np.mean([chances.max(axis=1).mean() for chances in known]))
    return found


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is None:
        return
    language.prose("rps", "evaluate")
    evaluation.classification(result, list(NAMES.values()))
    comparison(result)
    if run.recipe.data["rows"] == "own":
        return
    language.prose("rps", "adaptive")
    with st.spinner(_("Measuring …")):
        found = adaptive(run.recipe.to_json())
    titles = {**rps_game.NAMES, "habits": N_("someone who knows every player's habits")}
    st.dataframe(
        {
            _("On whole games of test players"): [_(titles[name]) for name in found],
            _("Accuracy"): [language.percent(share) for share in found.values()],
        },
        hide_index=True,
    )


project_page(
    RPS,
    try_it=rps_game.game,
    data=data,
    evaluate=evaluate,
    own=rps_game.own_examples,
)
