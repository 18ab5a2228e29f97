"""The class board: for the teacher's projector, who knows the secret."""

from playground.i18n import N_
from playground.ui.runs import board
from playground.ui.shell import frame

frame.page(
    N_("Class board"),
    N_("The class's best networks by validation score, updated live."),
    projected=True,
)
board.show()
