"""The first page: what this is, where to begin, and a map of lessons and projects."""

from html import escape

import streamlit as st

from playground.i18n import N_
from playground.projects import PROJECTS
from playground.ui import frame, language, thumbnails
from playground.ui.language import _

TOUR = {
    "neuron": N_("Move a weight and the bias: the border tilts and shifts."),
    "loss": N_("Move a prediction: how wrong is it, and which way is better?"),
    "optimizers": N_("Choose a start and let the optimizers race downhill."),
    "digits": N_("Draw a digit, press **Train**, and watch the answer change."),
    "pytorch": N_("See the same as code: five parts, and what each line does."),
}
LESSONS = {
    "neuron": N_("Inputs times weights, plus a bias: one border. Several neurons: a layer."),
    "activations": N_("Six ways to bend a sum, and why a network without any stays straight."),
    "forward_pass": N_("From the inputs to the answer, number by number; also a convolution."),
    "loss": N_("One number for how wrong an answer is: MSE, MAE, Huber, cross entropy."),
    "backpropagation": N_("The chain rule from the loss back to each weight, factor by factor."),
    "optimizers": N_("SGD, momentum, RMSprop and Adam on their way down the same loss."),
    "batches": N_("A deck of examples dealt in batches: noise, steps, epochs, overfitting."),
    "pytorch": N_("Data, model, loss, optimizer and training loop as code that runs."),
}
ICONS = {stem: icon for entries in frame.PAGES.values() for stem, _title, icon in entries}
TITLES = {stem: title for entries in frame.PAGES.values() for stem, title, _icon in entries}

STYLE = """
<style>
.st-key-tour, .st-key-lessons, .st-key-projects { display: grid; gap: 0.8rem; }
.st-key-tour { grid-template-columns: repeat(5, 1fr); }
.st-key-lessons { grid-template-columns: repeat(4, 1fr); }
.st-key-projects { grid-template-columns: repeat(6, 1fr); }
/* All cards of a row are equally high. */
:is(.st-key-tour, .st-key-lessons, .st-key-projects) > div { height: auto; align-self: stretch; }
[class*="st-key-card-"] a { padding-left: 0; }
[class*="st-key-card-"] a p { white-space: normal; }
.tile img { display: block; width: 100%; margin-bottom: 0.5rem; }
.tile { font-size: 0.9rem; line-height: 1.35; }
/* All of a card is its link. */
[class*="st-key-card-"] { position: relative; height: 100%; }
[class*="st-key-card-"] :is(.stElementContainer, .stPageLink, .stPageLink div) { position: static; }
[class*="st-key-card-"] a::after { content: ""; position: absolute; inset: 0; }
@media (max-width: 1100px) {
  .st-key-tour, .st-key-lessons, .st-key-projects { grid-template-columns: repeat(3, 1fr); }
}
@media (max-width: 640px) {
  .st-key-tour, .st-key-lessons, .st-key-projects { grid-template-columns: 1fr; }
  .tile { display: flex; gap: 0.8rem; align-items: center; }
  .st-key-parts :is(th, td):nth-child(3) { display: none; }
  .tile img { width: 38%; flex: none; margin: 0; }
}
</style>
"""


def card(stem: str, line: str) -> None:
    """One page on the map: its title, which is the link, its picture, and a line."""
    with st.container(border=True, key=f"card-{stem}", gap="xsmall"):
        title = _(TITLES[stem])
        st.page_link(f"pages/{stem}.py", label=f"**{title}**", icon=f":material/{ICONS[stem]}:")
        # Beside its title a picture needs no words for those who cannot see it.
        picture = f'<img src="{thumbnails.url(stem)}" alt="">'
        st.html(f'<div class="tile">{picture}<span>{escape(line)}</span></div>')


frame.page(
    N_("Neural network playground"), N_("Train a real network, watch it learn, then use it.")
)
st.html(STYLE)
language.prose("start", "welcome")

st.subheader(_("Five minutes to begin with"), anchor=False)
with st.container(key="tour"):
    for number, (stem, line) in enumerate(TOUR.items(), start=1):
        with st.container(border=True, key=f"card-tour-{stem}", gap="xsmall"):
            title = _(TITLES[stem])
            st.page_link(f"pages/{stem}.py", label=f"**{number}. {title}**")
            st.markdown(_(line))

st.subheader(_("The lesson, page by page"), anchor=False)
with st.container(key="lessons"):
    for stem, _title, _icon in frame.PAGES[frame.LESSON_PAGES]:
        line = LESSONS[stem]
        card(stem, _(line))

st.subheader(_("Six networks to train and to use"), anchor=False)
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
