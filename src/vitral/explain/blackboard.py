"""An attention weight's calculation, written down: LaTeX for a blackboard, Python that runs."""

import math
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from vitral.explain.weight_arithmetic import Arithmetic

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def latex(found: "Arithmetic", digits: int = 3) -> str:
    """The calculation as an `aligned` environment; numbers rounded to `digits` decimals."""
    t, s = _text(found.query_token), _text(found.tokens[found.key])

    def short(number: float) -> str:
        return f"{number:.{digits}f}"

    products = " + ".join(
        f"({short(q)})({short(k)})" for q, k in zip(found.q.tolist(), found.k.tolist(), strict=True)
    )
    scaled = f"{short(found.dot)} \\cdot {short(found.scaling)}"
    if found.softcap is not None:
        cap = short(found.softcap)
        scaled = f"{cap} \\tanh\\!\\left(\\frac{{{scaled}}}{{{cap}}}\\right)"
    if found.bias:
        scaled += f" + ({short(found.bias)})"
    exponents = [f"e^{{{short(score)}}}" for score in _seen(found.scores)]
    if found.sink is not None:
        exponents.append(f"e^{{{short(found.sink)}}}")
    lines = [
        rf"q_{{{t}}} \cdot k_{{{s}}} &= {products}",
        rf"&= {short(found.dot)}",
        rf"z_{{{t},{s}}} &= {scaled} = {short(found.score)}",
        rf"\alpha_{{{t},{s}}} &= \frac{{e^{{{short(found.score)}}}}}{{{' + '.join(exponents)}}}"
        rf" = {short(found.weight)}",
        rf"o_{{{t}}} &= \sum_j \alpha_{{{t},j}}\, v_j = ({_row(found.output, digits)})",
    ]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


def python(found: "Arithmetic") -> str:
    """The calculation as a Python program, with all digits, that prints the weight and what the
    head's output. It needs nothing but Python."""
    seen = [j for j, score in enumerate(found.scores.tolist()) if score != -math.inf]
    scaled = "dot * scaling"
    if found.softcap is not None:
        scaled = f"{found.softcap!r} * tanh({scaled} / {found.softcap!r})"
    if found.bias:
        scaled += f" + {found.bias!r}"
    others = [float(found.scores[j]) for j in seen if j != found.key]
    if found.sink is not None:
        others.append(found.sink)
    values = [found.values[j].tolist() for j in seen]
    return f"""from math import exp, tanh

# {found.query_token!r} looks at {found.tokens[found.key]!r}
q = {found.q.tolist()}
k = {found.k.tolist()}
scaling = {found.scaling!r}

products = [a * b for a, b in zip(q, k)]
dot = sum(products)
score = {scaled}
others = {others}  # the row's other scores
weight = exp(score) / (exp(score) + sum(map(exp, others)))
print(weight)

# what all tokens hand over, by their weights
weights = {[float(found.weights[j]) for j in seen]}
values = {values}
print([sum(w * v for w, v in zip(weights, column)) for column in zip(*values)])
"""


def _seen(scores_S: Tensor) -> list[float]:
    return [score for score in scores_S.tolist() if score != -math.inf]


def _row(vector: Tensor, digits: int) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in vector.tolist())


def _text(token: str) -> str:
    escaped = "".join(_ESCAPED.get(character, character) for character in token.strip())
    return rf"\text{{{escaped}}}"
