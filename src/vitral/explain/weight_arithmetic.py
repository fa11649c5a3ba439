"""The arithmetic of one attention weight, number by number.

Why does token t look at token s with just this weight? The whole calculation has four lines
(Vaswani et al. 2017, equation 1, for one cell):

    q_t · k_s = Σ_d q_td · k_sd                 the products, one by one, and their sum
    score_ts  = (q_t · k_s) · scaling + bias    scaling is 1/√D in most models
    weight_ts = exp(score_ts) / Σ_j exp(score_tj)
    output_t  = Σ_j weight_tj · v_j             the head's output

`Arithmetic` holds the model's own numbers of each line, and writes them down as LaTeX for a
blackboard or as Python that runs and gives the same weight.

    >>> import torch
    >>> from vitral.tracing.trace import Trace
    >>> x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]])
    >>> trace = Trace.from_tensors([x], [x], [x], scaling=1.0, tokens=["IA", "avanza"])
    >>> found = arithmetic(trace, layer=0, head=0, query=0, key=0)
    >>> found.products.tolist(), found.score, round(found.weight, 2)
    ([1.0, 4.0], 5.0, 0.73)

Shapes: S keys, D wide.
"""

from dataclasses import dataclass

from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """One attention weight's calculation. All numbers are float32, as the model had them.

    `q` and `k` [D] are the two vectors as they enter the product (after rotation, if any);
    `bias` is what is added to this score (0 in most models) and `softcap` what limits it;
    `scores` [S] are the whole row's, −∞ where t may not look, and `weights` [S] their softmax;
    `sink` is one more logit in the denominator; `values` [S, D] are the tokens' value vectors
    and `output` [D] what the head makes of them. `tokens` name the keys, `query` and `key`
    count from 0.
    """

    tokens: list[str]
    query_token: str
    query: int
    key: int
    q: Tensor
    k: Tensor
    scaling: float
    softcap: float | None
    bias: float
    scores: Tensor
    sink: float | None
    weights: Tensor
    values: Tensor
    output: Tensor

    @property
    def products(self) -> Tensor:
        """q_d · k_d, one by one [D]."""
        return self.q * self.k

    @property
    def dot(self) -> float:
        """The products' sum."""
        return float(self.products.double().sum())

    @property
    def score(self) -> float:
        """What enters the softmax."""
        return float(self.scores[self.key])

    @property
    def weight(self) -> float:
        """What comes out of it."""
        return float(self.weights[self.key])

    def latex(self, digits: int = 3) -> str:
        """The calculation as an `aligned` environment, numbers rounded to `digits` decimals."""
        from vitral.explain.blackboard import latex

        return latex(self, digits)

    def python(self) -> str:
        """The calculation as a Python program, with all digits, that prints the weight."""
        from vitral.explain.blackboard import python

        return python(self)


def arithmetic(
    trace: Trace, *, layer: int, head: int, query: int, key: int, part: str | None = None
) -> Arithmetic:
    """How the weight at (`query`, `key`) of one head is computed. All count from 0.

    Raises VitralError `layer_out_of_range`, `head_out_of_range`, `part_unknown`,
    `token_out_of_range`, and `arithmetic_unknown` where a trace knows the pattern but not the
    queries and keys behind it.
    """
    part = trace.part(part).name
    record = trace.record(layer, part)
    if not 0 <= head < record.num_heads:
        raise VitralError("head_out_of_range", head=head, num_heads=record.num_heads)
    for position, number in ((query, record.num_queries), (key, record.num_keys)):
        if not 0 <= position < number:
            raise VitralError("token_out_of_range", token=position, length=number)
    if isinstance(record, GivenPattern):
        raise VitralError("arithmetic_unknown", model=trace.model)
    row, group = (query, query + 1), record.num_heads // len(record.key)
    every = (0, record.num_keys)
    bias = 0.0
    if record.bias is not None:
        added = record.bias.block(row, (key, key + 1))
        bias = float(added[head if len(added) > 1 else 0].sum())
    weights_S = record.pattern(head, row, every)[0, 0].cpu()
    values_SD = record.value[head // group].float().cpu()
    queries, tokens = _labels(trace, part, record)
    return Arithmetic(
        tokens=tokens,
        query_token=queries[query],
        query=query,
        key=key,
        q=record.query[head, query].float().cpu(),
        k=record.key[head // group, key].float().cpu(),
        scaling=record.scaling,
        softcap=record.softcap,
        bias=bias,
        scores=record.scores(head, row, every)[0, 0].cpu(),
        sink=None if record.sinks is None else float(record.sinks[head]),
        weights=weights_S,
        values=values_SD,
        output=weights_S @ values_SD,
    )


def _labels(trace: Trace, part: str, record: AttentionRecord) -> tuple[list[str], list[str]]:
    """What queries and keys are called; where a trace has no tokens, their numbers."""
    queries, keys = trace.query_tokens(part), trace.key_tokens(part)

    def named(tokens: list[Token], number: int) -> list[str]:
        if len(tokens) != number:
            return [str(position) for position in range(number)]
        return [token.text for token in tokens]

    return named(queries, record.num_queries), named(keys, record.num_keys)
