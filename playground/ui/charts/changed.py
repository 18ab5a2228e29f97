"""A figure beside what it was before: by how much it changed, and whether that is better."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

MINUS = "\N{MINUS SIGN}"


def metric(
    place: DeltaGenerator, label: str, value: str, change: str | None, *, less_is_better: bool
) -> None:
    """Show a figure with its change, written with a true minus sign where it fell.

    Streamlit would know the direction from a hyphen only, so it is told.
    """
    fell = (change or "").startswith(MINUS)
    place.metric(
        label,
        value,
        change,
        delta_color="green" if fell == less_is_better else "red",
        delta_arrow="down" if fell else "up",
    )


__all__ = ["metric"]
