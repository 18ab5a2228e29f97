"""Loss: one number that says how wrong an answer is, and whose slope says where to go."""

import math
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import loss_curves
from playground.projects import project
from playground.projects.coffee import data as coffee
from playground.recipe import FIELDS
from playground.ui.charts import curves, formula, vega
from playground.ui.charts.formula import tex
from playground.ui.charts.sums import Number, Sums
from playground.ui.lesson import page as lesson
from playground.ui.shell import language, palette
from playground.ui.shell.language import _

CUP = {"size": "medium", "extras": 1, "takeaway": False}
PRICE = coffee.price(coffee.encode(CUP).unsqueeze(0)).item()
AROUND = (PRICE - 4, PRICE + 4)  # zł
RECEIPTS = [round(price, 2) for price in coffee.generate(6, 1.0, seed=4).targets.tolist()]
DEAREST = 60  # zł, of the last receipt
SHAPES = project("shapes")
LOGIT = 8  # the largest one that a slider offers

FIELDS_HERE = (
    Field(
        "view",
        "choice",
        "regression",
        N_("What is shown"),
        choices=("regression", "outlier", "classification", "yes_no", "why_not_mse"),
        choice_labels={
            "regression": N_("A price"),
            "outlier": N_("Several prices"),
            "classification": N_("Three classes"),
            "yes_no": N_("Yes or no"),
            "why_not_mse": N_("Why not MSE?"),
        },
    ),
    Field(
        "prediction",
        "number",
        PRICE + 2.5,
        N_("Predicted price"),
        N_("What a network might answer. Move it towards the true price and beyond."),
        low=AROUND[0],
        high=AROUND[1],
        step=0.1,
        unit="zł",
    ),
    replace(FIELDS["huber_delta"], name="delta", high=4),
    Field(
        "tangent",
        "choice",
        "mse",
        N_("Tangent to"),
        N_("The dashed line touches this curve: its steepness is the slope."),
        choices=loss_curves.REGRESSION,
        choice_labels={"mse": N_("MSE"), "l1": N_("MAE (L1)"), "huber": N_("Huber")},
    ),
    Field(
        "odd",
        "number",
        45.0,
        N_("The outlier"),
        N_("A seventh price: a typing error, or a very large order."),
        low=5,
        high=DEAREST,
        step=0.5,
        unit="zł",
    ),
    Field(
        "guess",
        "number",
        25.0,
        N_("The same answer for all"),
        N_(
            "A network that knows nothing about a coffee can only give the same number for all of "
            "them."
        ),
        low=5,
        high=40,
        step=0.5,
        unit="zł",
    ),
    Field("z0", "number", -1.0, N_("Logit: circle"), low=-LOGIT, high=LOGIT, step=0.1),
    Field("z1", "number", 2.0, N_("Logit: square"), low=-LOGIT, high=LOGIT, step=0.1),
    Field("z2", "number", 0.5, N_("Logit: triangle"), low=-LOGIT, high=LOGIT, step=0.1),
    Field(
        "truth",
        "choice",
        SHAPES.labels[0],
        N_("What it really is"),
        choices=SHAPES.labels,
        choice_labels=SHAPES.label_names,
    ),
    Field(
        "twice",
        "switch",
        False,
        N_("Softmax twice"),
        N_("A common bug: softmax in the last layer, and again inside the loss."),
    ),
    Field(
        "yes",
        "number",
        -4.0,
        N_("Logit of “yes”"),
        N_("Far below 0: the network is sure that the answer is no. Far above: sure of yes."),
        low=-LOGIT,
        high=LOGIT,
        step=0.1,
    ),
    Field("likes", "switch", True, N_("The true answer is yes")),
    Field(
        "z",
        "number",
        -6.0,
        N_("Logit of the true class"),
        N_("The other class's logit is 0. The further below 0, the more confident the mistake."),
        low=-LOGIT,
        high=LOGIT,
        step=0.1,
    ),
)
GRID = [LOGIT * n / 40 for n in range(-40, 41)]  # logits
AXIS = (-float(LOGIT), float(LOGIT))
BLUE, YELLOW, GREEN, ORANGE = (palette.CLASSES[place] for place in (0, 1, 2, 5))
STRUT = r"\rule{0pt}{1.2em}"  # Streamlit cuts off an exponent at the top of a fraction
COLORS = {"mse": BLUE, "l1": YELLOW, "huber": GREEN}


def steepness(slope: Number) -> str:
    return _("slope {slope}", slope=slope.text)


# --- Regression ---------------------------------------------------------------------------


def regression() -> None:
    names = {kind: _(label) for kind, label in dials.by_name["tangent"].choice_labels.items()}
    left, middle, right = st.columns([1, 1.9, 1.35], gap="large")
    with left:
        dials.show("prediction", "tangent", "delta")
        caption = _(
            "A medium coffee with one extra costs {price} zł: that is the true price.",
            price=language.number(PRICE, 2),
        )
        st.caption(caption)
    answer, delta = dials["prediction"], dials["delta"]
    xs = [AROUND[0] + 0.1 * n for n in range(81)]
    found, lines = {}, {}
    for kind in loss_curves.REGRESSION:
        loss = loss_curves.of_prediction(kind, PRICE, delta)
        lines[names[kind]] = (xs, loss_curves.trace(loss, xs)[0])
        found[kind] = loss_curves.at(loss, answer)
    chosen = dials["tangent"]
    sums = Sums()
    said, truth, bend = sums.given(answer), sums.given(PRICE), sums.given(delta)
    error = sums.of(lambda said, truth: said - truth, said, truth)
    number = written(error, bend, sums)
    # As short as it can be: on a phone the legend has four names.
    touching = f"L′ = {number[chosen][1].text}"
    lines[touching] = loss_curves.tangent(answer, *found[chosen], reach=2.0, rise=5.0)
    with middle:
        curves.curves(
            lines,
            x_title=_("predicted price [zł]"),
            y_title=_("loss"),
            key="loss.regression",
            alt=_("Three losses against the predicted price, and a tangent"),
            x=AROUND,
            y=(-2, 16),
            points=[
                curves.Mark(answer, value, color=COLORS[kind])
                for kind, (value, _slope) in found.items()
            ],
            colors={
                **{names[kind]: color for kind, color in COLORS.items()},
                touching: palette.LIMIT,
            },
            dashed=[touching],
            height=400,
        )
    with right:
        e = error.base
        size = error.tex.removeprefix("-")
        value = {kind: f"{pair[0].sign} {pair[0].tex}" for kind, pair in number.items()}
        slope = {kind: pair[1].tex for kind, pair in number.items()}
        st.markdown(_("$e$ is the error, $L$ the loss, $L'$ its slope:"))
        st.latex(rf"e = {said.tex} - {truth.tex} {error.sign} {error.tex}\ \text{{zł}}")
        st.markdown(f"**{names['mse']}**")
        both(
            rf"e^2 = {e}^2 {value['mse']}",
            rf"2e = 2 \cdot {error.factor} {number['mse'][1].sign} {slope['mse']}",
        )
        st.markdown(f"**{names['l1']}**")
        both(
            rf"|e| = \lvert {error.tex} \rvert {value['l1']}",
            rf"\operatorname{{sgn}} e = {slope['l1']}",
        )
        st.markdown(f"**{names['huber']}**")
        if abs(error.value) <= delta:
            both(
                rf"\tfrac12 e^2 = \tfrac12 \cdot {e}^2 {value['huber']}",
                rf"e = {slope['huber']} \quad (|e| \le \delta)",
            )
        else:
            half = sums.of(lambda delta: delta / 2, bend)
            both(
                rf"\delta\,(|e| - \tfrac{{\delta}}{{2}})"
                rf" = {bend.tex}\,({size} - {half.tex}) {value['huber']}",
                rf"\delta \operatorname{{sgn}} e = {slope['huber']} \quad (|e| > \delta)",
            )
    language.prose("loss", "regression")


def written(error: Number, delta: Number, sums: Sums) -> dict[str, tuple[Number, Number]]:
    """Each loss of an error, and its slope."""

    def by(rule: Callable[[float], tuple[float, float]]) -> tuple[Number, Number]:
        return sums.of(lambda e: rule(e)[0], error), sums.of(lambda e: rule(e)[1], error)

    return {
        "mse": by(loss_curves.squared),
        "l1": by(loss_curves.absolute),
        "huber": by(lambda e: loss_curves.huber(e, delta.value)),
    }


def both(loss: str, slope: str) -> None:
    """The formula of a loss, and below it that of its slope."""
    st.latex(rf"\begin{{aligned}} L &= {loss} \\ L' &= {slope} \end{{aligned}}")


def outlier() -> None:
    prices = [*RECEIPTS, dials["odd"]]
    left, middle, right = st.columns([1, 1.5, 1.5], gap="large")
    with left:
        dials.show("odd", "guess", "delta")
    best = {
        kind: loss_curves.best_constant(kind, prices, dials["delta"])
        for kind in loss_curves.REGRESSION
    }
    sums = Sums()
    receipts = [sums.given(price, places=2) for price in prices]
    whole = sums.of(lambda *prices: sum(prices), *receipts, places=2)
    mean = sums.of(lambda whole: whole / len(prices), whole, places=2)
    # The median is one of the prices: it is written as that.
    said = {
        "mse": mean.text,
        "l1": sums.given(best["l1"], places=2).text,
        "huber": sums.number(best["huber"], places=2).text,
    }
    with left:
        st.latex(rf"\frac{{{whole.tex}}}{{{len(prices)}}} {mean.sign} {mean.tex}")
        ordered = [price.text for price in sorted(receipts, key=lambda price: price.value)]
        ordered[len(prices) // 2] = f"**{said['l1']}**"
        st.markdown("; ".join(ordered))
    with middle:
        st.markdown(_("**MSE** is lowest at the **mean**: {best} zł", best=said["mse"]))
        constants(["mse"], prices, best, _("mean squared error [zł²]"), 500)
    with right:
        st.markdown(
            _(
                "**MAE** is lowest at the **median**: {best} zł. Huber: {huber} zł",
                best=said["l1"],
                huber=said["huber"],
            )
        )
        constants(["l1", "huber"], prices, best, _("mean loss [zł]"), 25)
    language.prose("loss", "outlier")


def constants(
    kinds: list[str], prices: list[float], best: dict[str, float], y_title: str, top: float
) -> None:
    """Mean losses over the one answer for all ``prices``, which lie on the axis."""
    names = dials.by_name["tangent"].choice_labels
    lines, colors = {}, {}
    marks = [
        curves.Mark(price, 0, color=ORANGE if place == len(RECEIPTS) else palette.LIMIT)
        for place, price in enumerate(prices)
    ]
    xs = [5 + 0.5 * n for n in range(111)]
    for kind in kinds:
        loss = loss_curves.of_constant(kind, prices, dials["delta"])
        name = _(names[kind])
        lines[name] = (xs, loss_curves.trace(loss, xs)[0])
        colors[name] = COLORS[kind]
        (lowest, here), _slopes = loss_curves.trace(loss, [best[kind], dials["guess"]])
        marks.append(curves.Mark(best[kind], lowest, color=COLORS[kind]))
        # Huber lies close to MAE: one number is enough.
        text = "" if kind == "huber" else language.number(here, 1)
        marks.append(curves.Mark(dials["guess"], here, text, palette.ACCENT))
    curves.curves(
        lines,
        x_title=_("the same answer for all [zł]"),
        y_title=y_title,
        key=f"loss.outlier.{kinds[0]}",
        alt=_("The mean loss against the answer; its lowest point is marked"),
        x=(3, DEAREST + 2),
        y=(-top / 25, top),
        points=marks,
        colors=colors,
        height=340,
    )


# --- Classification -----------------------------------------------------------------------


def classification() -> None:
    logits = [dials["z0"], dials["z1"], dials["z2"]]
    truth = SHAPES.labels.index(dials["truth"])
    found = loss_curves.classify(logits, truth)
    sums = Sums()
    powers = [sums.of(math.exp, sums.given(z)) for z in logits]
    shares = [
        sums.of(lambda own, *all_: own / sum(all_), own, *powers, digits=2, places=3)
        for own in powers
    ]
    sums.shares(shares)
    cost = sums.of(lambda p: -math.log(p), shares[truth], noise=0)
    gradient = [
        sums.of(lambda p: p - 1, share, noise=0) if place == truth else share
        for place, share in enumerate(shares)
    ]
    twice_gradient = [sums.number(part, noise=0) for part in found.gradient_twice]
    names = {label: _(label) for label in SHAPES.labels}
    left, middle, right = st.columns([1, 1.6, 1.6], gap="large")
    with left:
        dials.show("z0", "z1", "z2", "truth", "twice")
    with middle:
        vega.probability_bars(
            dict(zip(SHAPES.labels, found.shares, strict=True)),
            names,
            "loss.shares",
            texts=[share.text for share in shares],
        )
        once = _("once")
        lines = {
            once: (GRID, over_logit("cross_entropy", logits, truth)),
        }
        value, slope, steep = found.loss, found.gradient[truth], gradient[truth]
        marks = [curves.Mark(logits[truth], value, color=BLUE)]
        if dials["twice"]:
            twice = _("twice")
            lines[twice] = (GRID, over_logit("cross_entropy", logits, truth, twice=True))
            value, slope = found.loss_twice, found.gradient_twice[truth]
            steep = twice_gradient[truth]
            marks.append(curves.Mark(logits[truth], value, color=ORANGE))
        touching = steepness(steep)
        lines[touching] = loss_curves.tangent(logits[truth], value, slope, reach=4, rise=4)
        curves.curves(
            lines,
            x_title=_("logit of the true class"),
            y_title=_("loss"),
            key="loss.classification",
            alt=_("Cross entropy against the logit of the true class, and its tangent"),
            x=AXIS,
            y=(-0.5, 10),
            points=marks,
            colors={once: BLUE, _("twice"): ORANGE, touching: palette.LIMIT},
            dashed=[touching],
            height=300,
        )
    with right:
        exponents = "+".join(f"e^{{{tex(z, 1)}}}" for z in logits)
        sizes = " + ".join(power.tex for power in powers)
        share = shares[truth]
        st.markdown(_("**Softmax** of the true class, then **cross entropy**"))
        st.latex(
            rf"\begin{{aligned}} p &= \frac{{{STRUT}e^{{{tex(logits[truth], 1)}}}}}{{{exponents}}}"
            rf" \\[6pt] &= \frac{{{powers[truth].tex}}}{{{sizes}}} {share.sign} {share.tex}"
            r" \end{aligned}"
        )
        st.latex(rf"-\ln p = -\ln ({share.tex}) {cost.sign} {cost.tex}")
        st.markdown(_("**Gradient** for each logit: softmax output minus the true answer"))
        wanted = [sums.given(float(place == truth)) for place in range(len(logits))]
        st.latex(
            rf"p - y = {formula.vector(shares)} - {formula.vector(wanted)}"
            rf" {gradient[truth].sign} {formula.vector(gradient)}"
        )
        if dials["twice"]:
            st.markdown(
                _(
                    "**Softmax twice**: loss {loss}, and the gradient is",
                    loss=sums.number(found.loss_twice).text,
                )
            )
            st.latex(formula.vector(twice_gradient))
    language.prose("loss", "classification")


def over_logit(kind: str, logits: list[float], truth: int, *, twice: bool = False) -> list[float]:
    return loss_curves.trace(loss_curves.of_logit(kind, logits, truth, twice=twice), GRID)[0]


def yes_no() -> None:
    z, yes = dials["yes"], dials["likes"]
    value, slope = loss_curves.at(loss_curves.of_yes(yes=yes), z)
    share = 1 / (1 + math.exp(-z))
    sums = Sums()
    p = sums.of(lambda z: 1 / (1 + math.exp(-z)), sums.given(z))
    right_one = p if yes else sums.of(lambda p: 1 - p, p)
    cost = sums.of(lambda p: -math.log(p), right_one)
    steep = sums.of(lambda p: p - yes, p)
    costs = [sums.number(-math.log(p), digits=2, places=2) for p in loss_curves.SMALL]
    together = sums.of(lambda *parts: sum(parts), *costs)
    left, middle, right = st.columns([1, 1.5, 1.6], gap="large")
    with left:
        dials.show("yes", "likes")
        st.latex(rf"p = \frac{{1}}{{1 + e^{{{tex(-z, 1)}}}}} {p.sign} {p.tex}")
        given = "p" if yes else "(1 - p)"
        both(
            rf"-\ln {given} \\ &= -\ln ({right_one.tex}) {cost.sign} {cost.tex}",
            rf"p - {int(yes)} \\ &= {p.tex} - {int(yes)} {steep.sign} {steep.tex}",
        )
    with middle:
        lines = {
            _("truth: yes"): (GRID, loss_curves.trace(loss_curves.of_yes(yes=True), GRID)[0]),
            _("truth: no"): (GRID, loss_curves.trace(loss_curves.of_yes(yes=False), GRID)[0]),
        }
        own = list(lines)[0 if yes else 1]
        touching = steepness(steep)
        lines[touching] = loss_curves.tangent(z, value, slope, reach=4, rise=4)
        st.markdown(_("**Binary cross entropy** (BCE) against the logit"))
        colors = dict(zip(lines, (BLUE, ORANGE, palette.LIMIT), strict=True))
        curves.curves(
            lines,
            x_title=_("logit of “yes”"),
            y_title=_("loss"),
            key="loss.yes_no",
            alt=_("The loss against the logit, for either true answer, and its tangent"),
            x=AXIS,
            y=(-0.5, 8.5),
            points=[curves.Mark(z, value, color=colors[own])],
            colors=colors,
            dashed=[touching],
            height=350,
        )
    with right:
        mine = share if yes else 1 - share
        st.markdown(
            _(
                "Ten nearly right answers cost **{sum}** together. Yours alone costs **{one}**.",
                sum=together.text,
                one=cost.text,
            )
        )
        eleven([*loss_curves.SMALL, mine], [*costs, cost])
    language.prose("loss", "yes_no")


def eleven(shares: list[float], values: list[Number]) -> None:
    """A column an example: how likely it held the right answer, and what that costs."""
    last = len(shares) - 1
    rows = [
        {
            "n": n,
            "share": language.percent(share, 1 if n == last else 0),
            "loss": loss.value,
            "text": loss.text,
            "color": ORANGE if n == last else BLUE,
        }
        for n, (share, loss) in enumerate(zip(shares, values, strict=True))
    ]
    labels = " : ".join([f"datum.value === {row['n']} ? '{row['share']}'" for row in rows] + ["''"])
    x = {
        "field": "n",
        "type": "ordinal",
        "title": _("probability of the right answer"),
        "axis": {"labelExpr": labels, "labelAngle": -40, "labelOverlap": False},
    }
    y = {
        "field": "loss",
        "type": "quantitative",
        "title": _("loss"),
        "scale": {"domain": [0, 8.8]},
        "axis": {"tickCount": 5},
    }
    spec = {
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 3},
                "encoding": {"color": {"field": "color", "type": "nominal", "scale": None}},
            },
            {
                "mark": {"type": "text", "dy": -7, "color": palette.QUIET},
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }
    vega.show(
        rows, spec, 350, "loss.eleven", _("The loss of ten nearly right answers and of yours")
    )


def why_not_mse() -> None:
    z = dials["z"]
    names = {"cross_entropy": _("Cross entropy"), "mse_one_hot": _("MSE on softmax")}
    colors = {names["cross_entropy"]: BLUE, names["mse_one_hot"]: ORANGE}
    losses = {kind: loss_curves.of_logit(kind, [z, 0.0], 0) for kind in names}
    traces = {kind: loss_curves.trace(loss, GRID) for kind, loss in losses.items()}
    here = {kind: loss_curves.at(loss, z) for kind, loss in losses.items()}
    sums = Sums()
    p = sums.of(lambda z: loss_curves.softmax([z, 0.0])[0], sums.given(z))
    slopes = {
        "cross_entropy": sums.of(lambda p: p - 1, p, noise=0),
        "mse_one_hot": sums.of(lambda p: 2 * (p - 1) * p * (1 - p), p, noise=0),
    }
    left, middle, right = st.columns([1.1, 1.5, 1.5], gap="large")
    with left:
        dials.show("z")
        st.latex(
            rf"p = \frac{{{STRUT}e^{{{tex(z, 1)}}}}}{{e^{{{tex(z, 1)}}} + e^0}} {p.sign} {p.tex}"
        )
        st.markdown(_("Slope of **cross entropy**"))
        one, other = slopes["cross_entropy"], slopes["mse_one_hot"]
        st.latex(rf"L' = p - 1 {one.sign} {one.tex}")
        st.markdown(_("Slope of **MSE** on softmax"))
        st.latex(rf"L' = 2(p - 1) \cdot p(1 - p) {other.sign} {other.tex}")
    for column, which, y_title, y in (
        (middle, 0, _("loss"), (0.0, 8.5)),
        (right, 1, _("slope"), (-1.1, 0.1)),
    ):
        with column:
            curves.curves(
                {names[kind]: (GRID, pair[which]) for kind, pair in traces.items()},
                x_title=_("logit of the true class"),
                y_title=y_title,
                key=f"loss.why.{which}",
                alt=_("Cross entropy and MSE against the logit of the true class"),
                x=AXIS,
                y=y,
                points=[
                    curves.Mark(z, here[kind][which], color=colors[name])
                    for kind, name in names.items()
                ],
                colors=colors,
                height=340,
            )
    steps = {kind: loss_curves.steps_to(kind, z, GOAL, RATE, MOST) for kind in names}
    st.markdown(
        _(
            "From here, with learning rate {rate}, gradient descent brings the true class to "
            "{goal} **{quick}** with cross entropy and **{slow}** with MSE.",
            rate=language.number(RATE),
            goal=language.percent(GOAL, 0),
            quick=in_steps(steps["cross_entropy"]),
            slow=in_steps(steps["mse_one_hot"]),
        )
    )
    language.prose("loss", "why_not_mse")


GOAL = 0.9  # probability of the true class
RATE = 1.0  # learning rate
MOST = 9999  # steps


def in_steps(steps: int | None) -> str:
    if steps is None:
        return _("after more than {most} steps", most=language.number(MOST))
    return language.counted("after {n} step", "after {n} steps", steps)


dials = lesson.begin(
    "loss", N_("How wrong is an answer, and which way should it move?"), FIELDS_HERE
)
VIEWS = {
    "regression": regression,
    "outlier": outlier,
    "classification": classification,
    "yes_no": yes_no,
    "why_not_mse": why_not_mse,
}
VIEWS[lesson.views(dials, "view")]()
lesson.finish("loss", dials)
