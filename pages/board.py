"""The class board: for the teacher's projector, who knows the secret."""

from playground.i18n import N_
from playground.ui import board, frame

frame.page(
    N_("Class board"),
    N_("The best networks of the class, as the validation set saw them, while they come in."),
    projected=True,
)
board.show()
