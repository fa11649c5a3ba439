"""Whether a head's role holds in general, and not in one text alone.

It is often claimed that heads divide the work (position, syntax, meaning, coreference), which is
true of some heads of some models. So each role comes with a number: in how many of a dozen other
sentences does the head have the same one? A head that attends to the previous token in all of them
does so in general; in one that does it only in this text, it may be chance.

Roles come from measures of one text (`roles`). Those of syntax, meaning and coreference cannot be
measured on one text: for syntax see `relation_report`, which uses a treebank.

Range: 0 to 1. Cost: a traced pass over each sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.head_measures import HeadMeasures, measures
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.trace import Trace

SENTENCES = (
    "El gato duerme en la silla.",
    "La niña lee un libro en el jardín.",
    "Mi hermano compró pan y leche.",
    "¿Dónde está la llave de la casa?",
    "Cuando llegó el tren, ya era de noche.",
    "El médico dijo que no era grave.",
    "Los niños corrían por la calle.",
    "No sé si vendrá mañana.",
    "La carta que escribiste llegó ayer.",
    "Ella abrió la puerta y él entró.",
    "El viento movía las hojas del árbol.",
    "Hacía frío, pero salimos a pasear.",
)
"""Written for Vitral: statements, questions, short and long, with and without clauses."""

ANSWER = 24
"""Most tokens that an encoder–decoder answers to each."""


@dataclass(frozen=True, eq=False)
class RolesElsewhere:
    """The roles of a model's heads in other sentences: `roles[sentence][layer][head]`, of the
    layers that have attention.

    `num_too_long` sentences had more tokens than the model takes, and were left out.
    """

    sentences: list[str]
    roles: list[list[list[str]]]
    num_too_long: int

    def constancy(self, table: HeadMeasures) -> Tensor:
        """In what share of the sentences each head has the role it has in `table`:
        float32 [layers, heads]. NaN for heads, and attention, that a layer does not have.

        `table` is of the same model. Raises VitralError `roles_nowhere` if no sentence was read.
        """
        if not self.roles:
            raise VitralError("roles_nowhere", model=table.model)
        known = {(each["layer"], each["head"]): each["role"] for each in table.heads()}
        shares = torch.full((table.num_layers, table.num_heads), torch.nan)
        for row, layer in enumerate(table.layers):
            for head in range(table.num_heads):
                if (role := known.get((layer, head))) is not None:
                    same = sum(roles[row][head] == role for roles in self.roles)
                    shares[layer, head] = same / len(self.roles)
        return shares


def roles_elsewhere(
    model: TraceableModel,
    sentences: Sequence[str] = SENTENCES,
    *,
    part: str | None = None,
    repeated: Trace | None = None,
) -> RolesElsewhere:
    """The role of every head of `model` (a `vitral.Model`) in each of these sentences.

    `part` and `repeated` are as in `measures`. An encoder–decoder asked about its decoder or
    its cross-attention answers each sentence, so that its decoder has tokens. Raises what
    `Model.trace` and `Model.trace_generation` raise, and `picture_needs_text`.
    """
    if getattr(model, "reads", "text") == "picture":
        raise VitralError("picture_needs_text", model=model.name)
    read, roles, too_long = [], [], 0
    for sentence in sentences:
        if model.context is not None and len(model.tokens(sentence)) > model.context:
            too_long += 1
            continue
        table = measures(_read(model, sentence, part), part, repeated=repeated, model=model)
        read.append(sentence)
        roles.append(
            [[table.role(layer, head) for head in range(table.num_heads)] for layer in table.layers]
        )
    return RolesElsewhere(read, roles, too_long)


def _read(model: TraceableModel, sentence: str, part: str | None) -> Trace:
    answers = part in ("decoder", "cross") and model.kind == "encoder-decoder"
    trace: Trace = (
        model.trace_generation(sentence, max_new_tokens=ANSWER)
        if answers
        else model.trace(sentence)
    )
    return trace
