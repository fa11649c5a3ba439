"""Explanations take anything with a model's interface, not `vitral.Model` alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import vitral
from vitral.explain import ablate, head_output, logit_lens, nearest_words, repeated_trace
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


class Bare:
    """Nothing but what the protocol asks for."""

    def __init__(self, like: vitral.Model) -> None:
        self._like = like
        self.module: nn.Module = like.module
        self.tokenizer: Any = like.tokenizer
        self.name, self.kind, self.context = like.name, like.kind, like.context
        self.vocabulary_size = like.vocabulary_size

    def tokens(self, text: str) -> list[Token]:
        return self._like.tokens(text)

    def trace(
        self,
        text: str | None = None,
        *,
        texts: Sequence[str] | None = None,
        ids: Sequence[int] | None = None,
    ) -> Any:
        given = {"text": text, "texts": texts, "ids": ids}
        return self._like.trace(**{name: each for name, each in given.items() if each is not None})

    def trace_generation(self, text: str, *, max_new_tokens: int) -> Trace:
        return self._like.trace_generation(text, max_new_tokens=max_new_tokens)


@pytest.mark.parametrize("folder", ["llama_folder", "bert_folder"])
def test_a_bare_model_is_explained(folder: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(folder)
    model = vitral.load(str(path))
    bare = Bare(model)
    assert isinstance(bare, TraceableModel)
    assert isinstance(model, TraceableModel)
    assert not isinstance(model.module, TraceableModel)
    trace = bare.trace("La niña lee un libro.")
    for asked in (bare, bare.module):
        torch.testing.assert_close(
            head_output(trace, asked, 1).of(2), head_output(trace, model, 1).of(2)
        )
        assert logit_lens(trace, asked, [1]).shape[0] == trace.num_layers + 1
    assert nearest_words(trace, bare, 1) == nearest_words(trace, model, 1)
    torch.testing.assert_close(
        ablate(bare, "La niña lee.").losses, ablate(model, "La niña lee.").losses
    )
    assert repeated_trace(bare, length=3).tokens == repeated_trace(model, length=3).tokens
