"""Generation: ask the model for the next token, append it, ask again.

With a cache each step computes one token only; without, the whole text again. Both give the
same text (a test says so): the cache saves work and changes nothing.

Shapes: B batch, T tokens so far.
"""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.generation.sampling import choose
from vitral.models.gpt import GPT
from vitral.models.llama import Llama
from vitral.nn.cache import KeyValueCache


def generate_ids(
    model: GPT | Llama,
    ids_BT: Tensor,
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int | None = None,
    end_id: int | None = None,
    use_cache: bool = True,
) -> Iterator[Tensor]:
    """Yield the next token [B] of each text, up to `max_new_tokens` times, at most until the
    model's context is full; stops after the step in which every text has met `end_id`.

    Raises `text_empty` for no tokens, `text_too_long` if the prompt leaves no room,
    `option_invalid` for a negative temperature or a top-k below 1.
    """
    context = model.config.context
    if ids_BT.shape[1] == 0:
        raise VitralError("text_empty")
    if ids_BT.shape[1] >= context:
        name = model.config.architecture
        raise VitralError("text_too_long", length=ids_BT.shape[1], context=context, model=name)
    if temperature < 0:
        raise VitralError("option_invalid", option="temperature", value=temperature, least=0)
    if top_k is not None and top_k < 1:
        raise VitralError("option_invalid", option="top_k", value=top_k, least=1)
    return _generate(
        model,
        ids_BT,
        max_new_tokens=min(max_new_tokens, context - ids_BT.shape[1]),
        pick=_picker(temperature, top_k, seed),
        end_id=end_id,
        use_cache=use_cache,
    )


def _picker(temperature: float, top_k: int | None, seed: int | None) -> Callable[[Tensor], Tensor]:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return lambda logits: choose(logits, temperature=temperature, top_k=top_k, generator=generator)


@torch.no_grad()
def _generate(
    model: GPT | Llama,
    ids_BT: Tensor,
    *,
    max_new_tokens: int,
    pick: Callable[[Tensor], Tensor],
    end_id: int | None,
    use_cache: bool,
) -> Iterator[Tensor]:
    cache = KeyValueCache(model.config.num_layers) if use_cache else None
    new_BT = ids_BT
    ended = torch.zeros(len(ids_BT), dtype=torch.bool)
    for _ in range(max_new_tokens):
        logits = cast(Tensor, model(new_BT if use_cache else ids_BT, cache=cache))
        next_B = pick(logits[:, -1])
        yield next_B
        ids_BT = torch.cat((ids_BT, next_B[:, None]), dim=1)
        new_BT = next_B[:, None]
        if end_id is not None:
            ended |= next_B == end_id
            if bool(ended.all()):
                return
