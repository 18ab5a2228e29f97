"""The teacher's view of the class board: asked for a secret, then live and large."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

import streamlit as st
from streamlit import runtime

from playground.board import ranking
from playground.board.gate import Gate, fingerprint
from playground.errors import PlaygroundError
from playground.i18n import N_
from playground.projects import FIRST, PROJECTS
from playground.storage.errors import StoreError
from playground.storage.records import BoardEntry, Member
from playground.ui.shell import board_join, desk_menu, frame, language
from playground.ui.shell.language import _
from playground.ui.shell.once import once
from playground.ui.shell.problems import plain
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import recipe_words as words
from playground.ui.widgets.recipe_words import unit_of

EVERY: Final = 3.0  # seconds between two looks
GAME: Final = "game"  # the view of the scores, beside those of the projects
KNOWN: Final = "board.known"  # the fingerprint of the secret that this session knew
SECRET: Final = "board.secret"
REFUSED: Final = "board.refused"
SURE: Final = "board.sure"
WHO: Final = "board.who"


@once
def gate() -> Gate:
    """The one gate of this process: opening another tab gives no further guesses."""
    return Gate()


def show() -> None:
    """The board, to whoever knows the secret."""
    secret = board_join.secret()
    if secret is None:
        language.prose("board", "off")
    elif _admitted(secret):
        _board()
    else:
        _ask(secret)


def _admitted(secret: str) -> bool:
    """Has this session known the secret, as it is now?"""
    known: bytes = st.session_state.get(KNOWN, b"")
    return hmac.compare_digest(known, fingerprint(secret))


def _ask(secret: str) -> None:
    def answer() -> None:
        given, st.session_state[SECRET] = st.session_state[SECRET], ""
        st.session_state[REFUSED] = None
        try:
            if gate().admits(given, secret):
                st.session_state[KNOWN] = fingerprint(secret)
            else:
                st.session_state[REFUSED] = PlaygroundError(N_("Wrong password."))
        except PlaygroundError as error:
            st.session_state[REFUSED] = error

    language.prose("board", "locked")
    with st.form("board.gate", border=False, width=420):
        st.text_input(_("The teacher's password"), type="password", key=SECRET, autocomplete="off")
        st.form_submit_button(_("Show the board"), icon=":material/lock_open:", on_click=answer)
    refused: PlaygroundError | None = st.session_state.get(REFUSED)
    if refused is not None:
        st.error(refused.text(_), icon=":material/lock:")


def _board() -> None:
    views = {name: _(project.title) for name, project in PROJECTS.items()}
    views[GAME] = _("Score against the machine")
    st.segmented_control(
        _("What is compared"),
        list(views),
        format_func=views.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bind("board.view", FIRST),
    )
    _live(st.session_state["board.view"])
    _manage()


@frame.fragment(run_every=EVERY)
def _live(view: str) -> None:
    """What changes by itself; the timer draws this alone."""
    secret = board_join.secret()
    if secret is None or not _admitted(secret):
        st.rerun()  # it was changed while the page stood open
    members = _members()
    _presence(members)
    if not members:
        language.prose("board", "empty")
    elif view == GAME:
        _scores(members)
    else:
        _leaders(members, view)


def _members() -> Sequence[Member]:
    try:
        return desk_menu.desks().store.board.members()
    except StoreError as error:
        st.warning(error.text(_), icon=":material/cloud_off:")
        return []


def _presence(members: Sequence[Member]) -> None:
    """How many are here, in three numbers."""
    mine = desk_menu.here()
    others = [one for one in desk_menu.desks().open_ones(_connected) if one is not mine]
    with st.container(horizontal=True, gap="medium"):
        st.metric(_("On the board"), language.number(len(members)), width="content")
        st.metric(
            _("Training on this server"),
            language.number(frame.service().active),
            width="content",
            help=_("Networks training here right now, not counting sweeps."),
        )
        st.metric(
            _("Desks open on this server"),
            language.number(len(others)),
            width="content",
            help=_("Desks that have the app open in a browser, besides this one."),
        )


def _connected(tab: str) -> bool:
    return not runtime.exists() or runtime.get_instance().is_active_session(tab)


# --- Tables -------------------------------------------------------------------------------


def _leaders(members: Sequence[Member], name: str) -> None:
    project = PROJECTS[name]
    rows = ranking.leaders(members, name)
    if not rows:
        language.prose("board", "none")
        return
    heading = project.metric.label
    unit = unit_of(project)
    limited = any(one.best is not None for _place, _member, one in rows)
    headings = [
        (_("Place"), "place"),
        (_("Nickname"), "name"),
        (_("{figure} on validation", figure=_(heading)), "figure"),
        *([(_("Distance to the limit"), "more")] if limited else []),
        (_("Parameters"), "more"),
        (_("Trained for"), "more"),
    ]
    cells = [
        [
            "–" if place is None else str(place),
            _name(member),
            _figure(one, unit),
            *([_distance(one, unit)] if limited else []),
            language.number(one.parameters) if one.parameters else "–",
            language.seconds(one.seconds),
        ]
        for place, member, one in rows
    ]
    _table(headings, cells, [place for place, _member, _one in rows])
    said = [
        _(
            "Measured on the validation set; the test set is not on the board. Sorted by score; "
            "ties go to fewer parameters, then to shorter training."
        ),
        _("The best of many tries is partly luck: keep the test set for the end."),
    ]
    if limited:
        said.append(
            _(
                "Distance to the limit: how far the result is from the best that any model can "
                "reach on average. A lucky result can even beat that."
            )
        )
    if any(one.other for _place, _member, one in rows):
        said.append(_("Results on other data are not ranked."))
    st.caption(" ".join(said))


def _figure(one: BoardEntry, unit: str) -> str:
    """The figure, and below it what it was computed on."""
    counted = language.counted(
        "on {n} validation example", "on {n} validation examples", one.examples
    )
    notes = [counted, *_otherwise(one)]
    lines = "".join(f"<small>{escape(note)}</small>" for note in notes)
    return f"<b>{escape(_value(one, unit))}</b>{lines}"


def _otherwise(one: BoardEntry) -> list[str]:
    """The options that make it another task, in words; what is no option is left out."""
    try:
        options: dict[str, Any] = json.loads(one.other or "{}")
        fields = {field.name: field for field in PROJECTS[one.project].data_fields}
        said = []
        for name, value in options.items():
            field = fields[name]
            label = field.label
            said.append(f"{_(label)}: {words.written(field, field.check(value))}")
    except (ValueError, KeyError, AttributeError):  # of another version of this program
        return [_("other data")]
    return [", ".join(said)] if said else []


def _value(one: BoardEntry, unit: str) -> str:
    if ranking.smaller_is_better(one.project):
        return f"{language.number(one.value, 3)} {unit}"
    return language.percent(one.value)


def _distance(one: BoardEntry, unit: str) -> str:
    distance = ranking.to_limit(one)
    if distance is None:
        return "–"
    if ranking.smaller_is_better(one.project):
        return escape(f"{language.number(distance, 3)} {unit}")
    return escape(_("{n} pp", n=language.number(100 * distance, 1)))


def _scores(members: Sequence[Member]) -> None:
    rows = ranking.players(members)
    if not rows:
        language.prose("board", "nobody")
        return
    headings = [
        (_("Place"), "place"),
        (_("Nickname"), "name"),
        (_("Lead"), "figure"),
        (_("Rounds"), "more"),
        (_("Won by the student"), "more"),
        (_("Won by the machine"), "more"),
        (_("Ties"), "more"),
    ]
    cells = []
    for place, member in rows:
        score = member.score
        lead = score.won - score.lost
        sign = "+" if lead > 0 else "−" if lead < 0 else ""
        counts = (score.rounds, score.won, score.lost, score.drawn)
        numbers = [language.number(count) for count in counts]
        large = f"<b>{sign}{language.number(abs(lead))}</b>"
        cells.append([str(place), _name(member), large, *numbers])
    _table(headings, cells, [place for place, _member in rows])
    st.caption(
        _(
            "Lead: how many more rounds the student has won than the machine. Only rounds played "
            "here since joining count."
        )
    )


def _name(member: Member) -> str:
    """A stranger's words: text in a table of our own, whatever they contain."""
    name = _("(no nickname)") if member.nickname is None else member.nickname
    return f"<bdi>{escape(name)}</bdi>"


def _table(
    headings: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    places: Sequence[int | None],
) -> None:
    """``headings`` (text, kind of column) and ``rows`` of HTML, in letters for a projector."""
    kinds = [kind for _text, kind in headings]
    head = "".join(f'<th scope="col" class="{kind}">{escape(text)}</th>' for text, kind in headings)
    body = "".join(
        f'<tr class="{"top" if place is not None and place <= 3 else "rest"}">'
        + "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for place, row in zip(places, rows, strict=True)
    )
    st.html(f'<table class="board"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


# --- What the teacher may do ------------------------------------------------------------------


def _manage() -> None:
    """Take a nickname, a member or everybody off the board, or close it in this browser."""
    home = desk_menu.desks()
    with st.expander(
        _("Manage the board"), icon=":material/manage_accounts:", key="board.manage",
        on_change="rerun",
    ):  # fmt: skip
        try:
            members = home.store.board.members()
        except StoreError:  # as it says above
            members = []
        names = _names(members)
        if st.session_state.get(WHO) not in names:
            st.session_state[WHO] = next(iter(names), None)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                _("Student"),
                list(names),
                format_func=names.__getitem__,
                width=320,
                disabled=not names,
                placeholder=_("Nobody is on the board"),
                **bind(WHO),
            )
            who = st.session_state[WHO]
            st.button(
                _("Remove the nickname"),
                icon=":material/person_off:",
                key="board.unname",
                on_click=_trying(lambda: home.board.unname(who)),
                disabled=not names,
                help=_("Results and score stay, without a name, until they choose another."),
            )
            st.button(
                _("Remove from the board"),
                icon=":material/person_remove:",
                key="board.expel",
                on_click=_trying(lambda: home.board.expel(who)),
                disabled=not names,
                help=_("With all results and the score. Runs stay on the desk they belong to."),
            )
        with st.container(horizontal=True):
            _clear(lambda: home.board.expel(None), not names)
            st.button(
                _("Close the board"), icon=":material/lock:", key="board.lock", on_click=_lock
            )


def _names(members: Sequence[Member]) -> dict[str, str]:
    """By handle, what each is called; those without a nickname are numbered."""
    names: dict[str, str] = {}
    # Somebody may call themselves just like that.
    taken = {member.nickname for member in members}
    for member in members:
        n, name = 1, member.nickname
        while name is None or (member.nickname is None and name in taken):
            n, name = n + 1, f"{_('(no nickname)')} {n}"
        names[member.handle] = name
        taken.add(name)
    return names


def _clear(clear: Callable[[], None], disabled: bool) -> None:
    """Clear the board: asked, and asked once more."""

    def ask(sure: bool) -> None:
        st.session_state[SURE] = sure

    def yes() -> None:
        ask(False)
        _trying(clear)()

    if not st.session_state.get(SURE):
        st.button(
            _("Clear the board …"),
            icon=":material/delete:",
            key="board.clear",
            on_click=ask,
            args=(True,),
            disabled=disabled,
        )
        return
    st.markdown(_("Remove everybody from the board? Their desks and runs stay."), width="content")
    st.button(_("Remove everybody"), type="primary", key="board.clear.yes", on_click=yes)
    st.button(_("Keep it"), key="board.clear.no", on_click=ask, args=(False,))


def _lock() -> None:
    st.session_state.pop(KNOWN, None)


def _trying(act: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        try:
            act()
        except StoreError as error:
            st.toast(plain(error.text(_)), icon=":material/error:", duration="long")

    return call
