"""Distillation: a small model learns from a large one's whole distribution.

The teacher's second and third choices show which words are like the right one; a corpus shows
only the right one. The student's loss is a mixture (Hinton, Vinyals & Dean 2015,
https://arxiv.org/abs/1503.02531, section 2; DistilBERT, https://arxiv.org/abs/1910.01108)::

    loss = (1 − share) · [ −log p(token) ]  +  share · τ² · KL( teacher_τ ‖ student_τ )

where p_τ = softmax(logits / τ): a temperature above one shows more of the small probabilities,
and τ² keeps the gradients' size. Whether one passage follows another (`masked_words.py`) is
learned from the corpus alone.

Shapes: N asked places, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.training.objectives import Objective
from vitral.training.objectives.batch import IGNORED, Batch
from vitral.training.objectives.masked_words import next_sentence_sum
from vitral.training.recipes.recipe import Teacher


class Distillation:
    """Another objective's batches, with a teacher's distribution as well."""

    def __init__(self, asked: Objective, teacher: nn.Module, choice: Teacher) -> None:
        self.asked, self.teacher, self.choice = asked, teacher.eval(), choice
        for weight in teacher.parameters():
            weight.requires_grad_(False)

    def batch(self, step: int) -> Batch:
        return self.asked.batch(step)

    def loss(self, model: nn.Module) -> nn.Module:
        return DistillationSum(model, self.teacher, self.choice)

    def held_out(self, model: nn.Module) -> dict[str, float]:
        return self.asked.held_out(model)


class DistillationSum(nn.Module):
    """The summed mixture of the two losses; see the head of this file."""

    def __init__(self, model: nn.Module, teacher: nn.Module, choice: Teacher) -> None:
        super().__init__()
        self.model = model
        self._teacher = (teacher,)  # in a tuple: the teacher's weights are none of this module's
        self.choice = choice

    def forward(self, ids: Tensor, targets: Tensor, **inputs: Tensor) -> Tensor:
        asked = targets != IGNORED
        logits_NV, x_BTC = _answers(self.model, ids, asked, inputs)
        with torch.no_grad():
            wanted_NV, _ = _answers(self._teacher[0], ids, asked, inputs)
        share, temperature = self.choice.share, self.choice.temperature
        of_corpus = F.cross_entropy(logits_NV, targets[asked], reduction="sum")
        of_teacher = F.kl_div(
            (logits_NV / temperature).log_softmax(-1),
            (wanted_NV / temperature).log_softmax(-1),
            reduction="sum",
            log_target=True,
        )
        loss = (1 - share) * of_corpus + share * temperature**2 * of_teacher
        if "follows" in inputs:
            weight = inputs["follows_weight"]
            loss = loss + next_sentence_sum(self.model, x_BTC, inputs["follows"], weight)
        return loss


def _answers(
    model: Any, ids: Tensor, asked: Tensor, inputs: dict[str, Tensor]
) -> tuple[Tensor, Any]:
    """The logits [N, V] at the asked places, of a decoder or an encoder, ours or transformers';
    and the vectors [B, T, C] of an encoder of ours."""
    if hasattr(model, "encode") and hasattr(model, "head"):
        x_BTC = model.encode(ids, None, inputs.get("segments"))
        return model.head(x_BTC[asked]).float(), x_BTC
    told = {"documents_BT": inputs["documents"]} if "documents" in inputs else {}
    output = model(ids, **told)
    output = output if isinstance(output, Tensor) else output.logits
    return output[asked].float(), None
