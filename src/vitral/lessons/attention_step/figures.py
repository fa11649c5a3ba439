"""The lesson's experiments: one attention step of two words, a query with two keys, and a head of
a model."""

from math import exp, log, sqrt

from pydantic import Field

from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.models import borrow_model
from vitral.lessons.picture import (
    Bar,
    BarsPicture,
    CalculationStep,
    Curve,
    CurvesPicture,
    Drawing,
    HeatPicture,
    MovedPoint,
    Picture,
    StepsPicture,
    TracePicture,
)

Vector = tuple[float, float]

W_QUERY = W_KEY = ((2.0, 1.0), (1.0, 2.0))
W_VALUE = ((10.0, 0.0), (0.0, 10.0))
AI: Vector = (1.0, 0.0)


def times(x: Vector, matrix: tuple[Vector, Vector]) -> Vector:
    """The row vector x times a matrix."""
    return (
        x[0] * matrix[0][0] + x[1] * matrix[1][0],
        x[0] * matrix[0][1] + x[1] * matrix[1][1],
    )


def softmax(scores: list[float]) -> list[float]:
    """Shares that sum to 1; the largest score is subtracted, so that nothing overflows."""
    raised = [exp(score - max(scores)) for score in scores]
    return [each / sum(raised) for each in raised]


class TwoWords(Parameters):
    """The second word's vector (x: technology, y: action), and whether scores are divided by √2."""

    x: float = Field(0.0, ge=-2, le=2)
    y: float = Field(1.0, ge=-2, le=2)
    scaled: bool = True


@experiment
def two_words(at: TwoWords) -> Drawing:
    """«IA» looks at itself and at a second word: scores, weights, and the new vector."""
    other: Vector = (at.x, at.y)
    query, keys = times(AI, W_QUERY), [times(AI, W_KEY), times(other, W_KEY)]
    values = [times(AI, W_VALUE), times(other, W_VALUE)]
    scores = [query[0] * key[0] + query[1] * key[1] for key in keys]
    divisor = sqrt(2) if at.scaled else 1.0
    weights = softmax([score / divisor for score in scores])
    result = (
        weights[0] * values[0][0] + weights[1] * values[1][0],
        weights[0] * values[0][1] + weights[1] * values[1][1],
    )
    steps = [
        CalculationStep(label="query_key_self", tex=_dot(query, keys[0], scores[0])),
        CalculationStep(label="query_key_other", tex=_dot(query, keys[1], scores[1])),
    ]
    if at.scaled:
        each = [rf"\frac{{{_n(s)}}}{{\sqrt{{2}}}} = {_n(s / divisor)}" for s in scores]
        steps.append(CalculationStep(label="scaling", tex=r"\qquad ".join(each)))
    steps += [
        CalculationStep(label="weights", tex=_softmax_tex([s / divisor for s in scores], weights)),
        CalculationStep(label="mixture", tex=_mixture(weights, values, result)),
    ]
    arrows = [("value_self", values[0]), ("value_other", values[1]), ("result", result)]
    return Drawing(
        values={
            "score_self": scores[0],
            "score_other": scores[1],
            "weight_self": weights[0],
            "weight_other": weights[1],
            "result_x": result[0],
            "result_y": result[1],
            "keeps": "itself" if weights[0] > 0.9 else "other" if weights[0] < 0.1 else "both",
        },
        pictures=[
            StepsPicture(kind="steps", label="calculation", steps=steps),
            CurvesPicture(
                kind="curves",
                label="plane",
                x_label="technology",
                y_label="action",
                x_range=(-21, 21),
                y_range=(-21, 21),
                equal=True,
                curves=[
                    Curve(label=name, x=[0, end[0]], y=[0, end[1]], dashed=name != "result")
                    for name, end in arrows
                ],
                points=[MovedPoint(label="result", x=result[0], y=result[1])],
            ),
            _weights_picture(["self", "other"], weights),
        ],
    )


def _n(number: float) -> str:
    """A number in LaTeX, marked so that it is shown in the reader's form."""
    return f"⟨{number:.3f}⟩" if number != round(number) else f"⟨{number:.0f}⟩"


def _row(vector: tuple[float, ...]) -> str:
    return "[" + r",\ ".join(map(_n, vector)) + "]"


def _dot(query: Vector, key: Vector, score: float) -> str:
    terms = " + ".join(rf"{_n(q)} \cdot {_signed(k)}" for q, k in zip(query, key, strict=True))
    return rf"{_row(query)} \cdot {_row(key)} = {terms} = {_n(score)}"


def _signed(number: float) -> str:
    return f"({_n(number)})" if number < 0 else _n(number)


def _softmax_tex(scores: list[float], weights: list[float]) -> str:
    below = " + ".join(f"e^{{{_n(each)}}}" for each in scores)
    parts = [
        rf"\frac{{e^{{{_n(score)}}}}}{{{below}}} = {_n(weight)}"
        for score, weight in zip(scores, weights, strict=True)
    ]
    return r"\qquad ".join(parts)


def _mixture(weights: list[float], values: list[Vector], result: Vector) -> str:
    terms = [rf"{_n(w)} \cdot {_row(v)}" for w, v in zip(weights, values, strict=True)]
    return rf"{' + '.join(terms)} = {_row(result)}"


def _weights_picture(labels: list[str], weights: list[float]) -> BarsPicture:
    most = max(weights)
    return BarsPicture(
        kind="bars",
        label="weights",
        range=(0, 1),
        bars=[
            Bar(label=label, value=weight, marked=weight == most)
            for label, weight in zip(labels, weights, strict=True)
        ],
    )


KEYS = ((0.7, 0.1, 0.5), (0.2, 0.9, 0.4))


class Query(Parameters):
    """A query of three numbers, and whether scores are divided by √3."""

    q1: float = Field(0.8, ge=-5, le=5)
    q2: float = Field(0.2, ge=-5, le=5)
    q3: float = Field(0.6, ge=-5, le=5)
    scaled: bool = False


@experiment
def three_numbers(at: Query) -> Drawing:
    """A query with two keys, product by product."""
    query = (at.q1, at.q2, at.q3)
    products = [[q * k for q, k in zip(query, key, strict=True)] for key in KEYS]
    scores = [sum(row) for row in products]
    weights = softmax([score / (sqrt(3) if at.scaled else 1.0) for score in scores])
    return Drawing(
        values={
            "score_1": scores[0],
            "score_2": scores[1],
            "weight_1": weights[0],
            "weight_2": weights[1],
        },
        pictures=[
            HeatPicture(
                kind="heat",
                label="products",
                rows=["k₁", "k₂"],
                columns=["q₁k₁", "q₂k₂", "q₃k₃", "Σ"],
                cells=[[*row, score] for row, score in zip(products, scores, strict=True)],
                signed=True,
            ),
            _weights_picture(["k₁", "k₂"], weights),
        ],
    )


class Head(Parameters):
    """A head of a model on a text, and the token that looks; numbers beyond the last mean it."""

    model: str = Field("vitral-es-bert", min_length=1, max_length=300)
    text: str = Field("La IA avanza y el mundo cambia.", max_length=400)
    layer: int = Field(0, ge=0, le=200)
    head: int = Field(0, ge=0, le=200)
    token: int = Field(2, ge=0, le=200)


@experiment
def head(at: Head) -> Drawing:
    """One attention step inside a model: the weights of one token, and what they would be without
    the division by √d."""
    with borrow_model(at.model) as model:
        trace = model.trace(at.text)
        layers, heads = trace.num_layers, trace.num_heads
        layer, number = min(at.layer, layers - 1), min(at.head, heads - 1)
        token = min(at.token, len(trace.tokens) - 1)
        row = [float(weight) for weight in trace.attention(layer, number)[token]]
        width = int(trace[f"layers.{layer}.attention.q"].shape[-1])
    seen = [at_ for at_, weight in enumerate(row) if weight > 0]
    logs = [log(row[at_]) * sqrt(width) for at_ in seen]
    sharp = softmax(logs)
    labels = [
        f"{at_ + 1} · {token_.text.strip() or '␣'}" for at_, token_ in enumerate(trace.tokens)
    ]
    most = max(range(len(row)), key=row.__getitem__)
    shown = sorted(sorted(seen, key=row.__getitem__, reverse=True)[:12])
    pictures: list[Picture] = [
        TracePicture(
            kind="trace",
            label="head",
            model=at.model,
            text=at.text,
            layer=layer,
            head=number,
            token=token,
            view="lines",
        ),
        _weights_picture([labels[at_] for at_ in shown], [row[at_] for at_ in shown]),
    ]
    return Drawing(
        values={
            "total": sum(row),
            "own": row[token],
            "largest": row[most],
            "largest_without": max(sharp),
            "width": float(width),
            "looks": trace.tokens[token].text.strip(),
            "looked_at": trace.tokens[most].text.strip(),
            "sharper_without": max(sharp) >= row[most],
            "itself": most == token,
        },
        pictures=pictures,
    )
