"""Runs: everything this session has trained, to compare, keep and repeat; and sweeps."""

from playground.i18n import N_
from playground.ui.runs import run_table, sweep
from playground.ui.shell import frame
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.widget_state import tabs_by_icon

frame.page(
    N_("Runs"),
    N_("Compare your runs, export them, and try a whole grid of settings."),
)
listed, swept = tabs_by_icon({"table_rows": _("Runs"), "grid_on": _("Sweep")}, "runs.tabs")
if listed.open:
    with listed, part(_("Runs")):
        run_table.show()
if swept.open:
    with swept, part(_("Sweep")):
        sweep.show()
