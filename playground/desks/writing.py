"""How each job is written: from a desk into the store. Whoever calls it holds the desk's pen."""

from __future__ import annotations

import secrets
from dataclasses import replace

from playground.board import nicknames, ranking
from playground.desks import stored_run
from playground.desks.desk import Desk
from playground.desks.jobs import Best, Job, Labels, Remains, Rounds, Things, WholeRun
from playground.desks.run_list import RunEntry, Unread
from playground.desks.stored_run import label_of
from playground.runtime.run import Run, Snapshot
from playground.storage.codecs import pack
from playground.storage.records import Member
from playground.storage.schema import EXAMPLES
from playground.storage.store import Store


def write(store: Store, desk: Desk, job: Job) -> bool:
    """Write ``job`` down; may the desk have become smaller?

    Raises:
        StoreError: as the store's calls.
    """
    assert desk.id is not None
    if desk.deleted:
        return False
    if not desk.stored.there:
        store.create(desk.id)
        desk.stored.there = True
    match job:
        case Things():
            return _things(store, desk, desk.id, job.kind)
        case Labels():
            return _labels(store, desk, desk.id)
        case WholeRun():
            _run(store, desk, desk.id, job.run)
        case Remains():
            _remains(store, desk, desk.id, job.listed)
        case Best() | Rounds():
            _board(store, desk, desk.id, job)
    return False


def _things(store: Store, desk: Desk, desk_id: str, name: str) -> bool:
    stored = desk.stored
    with desk.lock:
        before = stored.written.get(name, [])
        raw = stored.raw.get(name)
        foreign = stored.foreign.get(name, [])
        things = list(raw if raw is not None else [*desk.lists.get(name, []), *foreign])
        kind = None if raw is not None else desk.kinds.get(name)
    news = {
        place: one
        for place, one in enumerate(things)
        if place >= len(before) or before[place] is not one
    }
    own = len(things) if kind is None else len(things) - len(foreign)
    contents = {
        place: one if kind is None or place >= own else kind.encode(one)
        for place, one in news.items()
    }
    store.put(desk_id, name, contents, len(things))
    if raw is None:
        stored.written[name] = things
    return len(things) < len(before)


def _labels(store: Store, desk: Desk, desk_id: str) -> bool:
    stored = desk.stored
    with desk.lock:
        labels = desk.listed()
    gone = [run for run in stored.labels if run not in labels]
    if gone:
        store.delete_runs(desk_id, gone)
    for run in gone:
        del stored.labels[run]
        stored.unread.pop(run, None)
    moved = False
    for run, label in labels.items():
        if run in stored.labels and stored.labels[run] != label:
            store.label_run(desk_id, run, *label)
            stored.labels[run] = label
            moved = True
    return bool(gone) or moved


def _run(store: Store, desk: Desk, desk_id: str, run: Run) -> None:
    stored = desk.stored
    with desk.lock:
        kept = desk.kept.of(run)
        if kept is None:  # deleted in the meantime
            return
        label = desk.label(kept)
        run_id = stored.ids.setdefault(kept, secrets.token_hex(8))
    row = stored_run.to_row(run, kept, run_id, label)
    if row is None:
        return
    if label.current and run.own is not None:
        name, content = pack(run.own)
        row = replace(row, own=EXAMPLES + name)
        if row.own not in stored.examples:
            store.put(desk_id, row.own, {0: content}, 1)
            stored.examples.add(row.own)
    store.save_run(desk_id, row)
    stored.labels[run_id] = label
    if not run.over:
        run.checkpoint_wanted = True


def _remains(store: Store, desk: Desk, desk_id: str, listed: RunEntry | Unread) -> None:
    stored = desk.stored
    with desk.lock:
        if listed not in desk.kept.runs and listed not in desk.kept.unread:
            return  # deleted in the meantime
        run_id = stored.ids.setdefault(listed, secrets.token_hex(8))
        if isinstance(listed, Unread):
            row = stored.unread[run_id]
        else:
            row = stored_run.remains_to_row(listed, run_id, desk.label(listed))
    store.save_run(desk_id, row)
    stored.labels[run_id] = label_of(row)


def _board(store: Store, desk: Desk, desk_id: str, job: Best | Rounds) -> None:
    """Say something of the desk on the class board, if it is still there."""
    with desk.lock:
        member = desk.member
        kept = list(desk.kept.runs)
    if member is None:
        return
    if not desk.stored.joined:  # the database is another by now
        name = member.nickname
        again = store.board.join(desk_id, name, None if name is None else nicknames.folded(name))
        with desk.lock:
            if desk.member is not None:
                desk.member = replace(desk.member, handle=again.handle)
        store.board.post(desk_id, list(member.figures.values()), ranking.rank)
        desk.stored.joined = True
    there: Member | None
    if isinstance(job, Rounds):
        there = member if store.board.set_score(desk_id, member.score) else None
    else:
        run = job.run
        runs = [_last(one) for one in kept] if run is None else [(run.snapshot(), run.parameters)]
        best = ranking.best(runs, member.figures)
        if not best:
            return
        there = store.board.post(desk_id, best, ranking.rank)
    with desk.lock:
        if there is None or desk.member is None:
            desk.member = None
        else:  # the name may have been taken away in the meantime, and rounds thrown
            desk.member = replace(desk.member, figures=there.figures)


def _last(kept: RunEntry) -> tuple[Snapshot, int]:
    """The last snapshot and the parameters of a listed run, which a page may be letting go."""
    run = kept.run
    return (kept.snapshot, kept.parameters) if run is None else (run.snapshot(), run.parameters)


__all__ = ["write"]
