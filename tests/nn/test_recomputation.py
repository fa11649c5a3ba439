"""Recomputed activations: the same gradients from fewer kept tensors."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from vitral.models.albert import Albert, AlbertConfig
from vitral.models.bert import Bert, BertConfig
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.models.modernbert import ModernBert, ModernBertConfig
from vitral.models.roberta import Roberta, RobertaConfig
from vitral.models.transformer import Transformer, TransformerConfig

SIZE: dict[str, Any] = {
    "vocab_size": 31,
    "context": 12,
    "hidden_size": 12,
    "num_layers": 4,
    "num_heads": 3,
    "num_key_value_heads": 3,
    "intermediate_size": 40,
}
FORMS: dict[str, Callable[[float], nn.Module]] = {
    "gpt": lambda dropout: GPT(GPTConfig(**SIZE, dropout=dropout)),
    "llama": lambda dropout: Llama(LlamaConfig(**SIZE, dropout=dropout)),
    "bert": lambda dropout: Bert(BertConfig(**SIZE, dropout=dropout)),
    "roberta": lambda dropout: Roberta(RobertaConfig(**SIZE, dropout=dropout)),
    "albert": lambda dropout: Albert(AlbertConfig(**SIZE, dropout=dropout, embedding_size=5)),
    "modernbert": lambda dropout: ModernBert(
        ModernBertConfig(**SIZE, dropout=dropout, window=2, global_every=2)
    ),
    "transformer": lambda dropout: Transformer(TransformerConfig(**SIZE, dropout=dropout)),
}
IDS = torch.arange(4, 24).reshape(2, 10)
TEXTS = {"transformer": (IDS, IDS.flip(1)[:, :7])}


def kept_and_gradients(
    form: str, dropout: float, recompute: bool
) -> tuple[int, dict[str, torch.Tensor]]:
    """The numbers that a forward pass keeps for the backward pass, and the gradients."""
    torch.manual_seed(0)
    model = FORMS[form](dropout).train()
    model.recompute_activations = recompute
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(*TEXTS.get(form, (IDS,))).square().mean()
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    size = sum(tensor.numel() for place, tensor in kept.items() if place not in weights)
    loss.backward()
    return size, {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("form", FORMS)
def test_the_gradients_are_the_same_and_less_is_kept(form: str, dropout: float) -> None:
    all_of_it, expected = kept_and_gradients(form, dropout, recompute=False)
    some_of_it, gradients = kept_and_gradients(form, dropout, recompute=True)
    for name, gradient in expected.items():
        torch.testing.assert_close(gradients[name], gradient, atol=1e-7, rtol=1e-6)
    assert 0 < some_of_it < all_of_it / 3


def test_nothing_is_recomputed_without_training(monkeypatch: pytest.MonkeyPatch) -> None:
    from vitral.nn import recomputation

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("recomputed")

    monkeypatch.setattr(recomputation, "checkpoint", refuse)
    model = FORMS["gpt"](0.0).eval()
    model.recompute_activations = True
    assert model(IDS).shape == (2, 10, 31)
    with pytest.raises(AssertionError, match="recomputed"):
        model.train()(IDS)
