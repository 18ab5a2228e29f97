"""The first page: what this is, where to begin, and a map of lessons and projects."""

from html import escape

import streamlit as st

from playground.i18n import N_
from playground.projects import PROJECTS
from playground.ui.charts import thumbnails
from playground.ui.shell import frame, language
from playground.ui.shell.language import _

TOUR = {
    "neuron": N_("Move the weight and the bias: the line tilts and shifts."),
    "loss": N_("Move a prediction: how wrong is it, and which way should it move?"),
    "optimizers": N_("Choose a starting point and see which optimizer gets down first."),
    **{kind.name: kind.invitation for kind in PROJECTS.values() if kind.invitation},
    "pytorch": N_("See the same as code: five parts, and what each line does."),
}
LESSONS = {
    "neuron": N_("Inputs times weights, plus a bias: one boundary. Several neurons: a layer."),
    "activations": N_("Six functions that bend a sum; without one a network draws straight lines."),
    "forward_pass": N_("From the inputs to the answer, number by number; also a convolution."),
    "loss": N_("One number for how wrong an answer is: MSE, MAE, Huber, cross entropy."),
    "backpropagation": N_("The chain rule from the loss back to each weight, factor by factor."),
    "optimizers": N_("SGD, momentum, RMSprop and Adam on their way down the same loss surface."),
    "batches": N_("A deck of examples dealt in batches: noise, steps, epochs, overfitting."),
    "pytorch": N_("Data, model, loss, optimizer and training loop as code that runs."),
}
ICONS = {stem: icon for entries in frame.PAGES.values() for stem, _title, icon in entries}
TITLES = {stem: title for entries in frame.PAGES.values() for stem, title, _icon in entries}


def card(stem: str, line: str) -> None:
    """One page on the map: its title, which is the link, its picture, and a line."""
    with st.container(border=True, key=f"card-{stem}", gap="xsmall"):
        title = _(TITLES[stem])
        st.page_link(f"pages/{stem}.py", label=f"**{title}**", icon=f":material/{ICONS[stem]}:")
        # Beside its title a picture needs no words for those who cannot see it.
        picture = f'<img src="{thumbnails.url(stem)}" alt="">'
        st.html(f'<div class="tile">{picture}<span>{escape(line)}</span></div>')


frame.page(frame.NAME, N_("Train a real network, watch it learn, then use it."))
language.prose("start", "welcome")

st.header(_("Five minutes to begin with"), anchor=False)
with st.container(key="tour"):
    for number, (stem, line) in enumerate(TOUR.items(), start=1):
        with st.container(border=True, key=f"card-tour-{stem}", gap="xsmall"):
            title = _(TITLES[stem])
            st.page_link(f"pages/{stem}.py", label=f"**{number}. {title}**")
            st.markdown(_(line))

st.header(_("The lesson, page by page"), anchor=False)
with st.container(key="lessons"):
    for stem, _title, _icon in frame.PAGES[frame.LESSON_PAGES]:
        line = LESSONS[stem]
        card(stem, _(line))

st.header(_("Six networks to train and to use"), anchor=False)
with st.container(key="projects"):
    for stem, _title, _icon in frame.PAGES[frame.PROJECT_PAGES]:
        card(stem, _(PROJECTS[stem].purpose))

# Whatever else there is: runs to compare.
for section, entries in frame.PAGES.items():
    if section not in ("", frame.LESSON_PAGES, frame.PROJECT_PAGES):
        for stem, title, icon in entries:
            st.page_link(f"pages/{stem}.py", label=_(title), icon=f":material/{icon}:")

with st.container(key="parts"):
    language.prose("start", "parts")
