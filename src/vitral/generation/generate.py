"""Generation: ask the model for the next token, append it, ask again.

With a cache each step computes one token only; without, the whole text again. Both give the
same text (a test says so): the cache saves work and changes nothing.

Shapes: B batch, T tokens so far.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.reading import Reader, reader_of
from vitral.generation.sampling import choose
from vitral.models.description import architecture, context


def generate_ids(
    module: nn.Module,
    ids_BT: Tensor,
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int | None = None,
    end_id: int | None = None,
    use_cache: bool = True,
    encoder_ids: Tensor | None = None,
    reader: Reader | None = None,
) -> Iterator[Tensor]:
    """Yield the next token [B] of each text, up to `max_new_tokens` times, at most until the
    model's context is full; stops after the step in which every text has met `end_id`.

    `ids_BT` are what the decoder has read so far; an encoder–decoder's encoder reads
    `encoder_ids`. `reader` is what reads (see `generation.reading`), for those who want to watch
    it do so.

    Raises `text_empty` for no tokens, `text_too_long` if the prompt leaves no room,
    `option_invalid` for a negative temperature, a top-k or a number of tokens below 1, and
    `cannot_write` for a model that is made for something else.
    """
    size = context(module)
    room = max_new_tokens if size is None else size - ids_BT.shape[1]
    if ids_BT.shape[1] == 0:
        raise VitralError("text_empty")
    if room < 1 and max_new_tokens >= 1:
        name = architecture(module)
        raise VitralError("text_too_long", length=ids_BT.shape[1], context=size, model=name)
    for option, value, least in (
        ("max_new_tokens", max_new_tokens, 1),
        ("temperature", temperature, 0),
        ("top_k", 1 if top_k is None else top_k, 1),
    ):
        if value < least:
            raise VitralError("option_invalid", option=option, value=value, least=least)
    return _generate(
        reader or reader_of(module, encoder_ids=encoder_ids, use_cache=use_cache),
        ids_BT,
        max_new_tokens=min(max_new_tokens, room),
        pick=_picker(temperature, top_k, seed),
        end_id=end_id,
    )


def _picker(temperature: float, top_k: int | None, seed: int | None) -> Callable[[Tensor], Tensor]:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return lambda logits: choose(logits, temperature=temperature, top_k=top_k, generator=generator)


@torch.no_grad()
def _generate(
    read: Reader,
    new_BT: Tensor,
    *,
    max_new_tokens: int,
    pick: Callable[[Tensor], Tensor],
    end_id: int | None,
) -> Iterator[Tensor]:
    ended_B = torch.zeros(len(new_BT), dtype=torch.bool, device=new_BT.device)
    for _ in range(max_new_tokens):
        next_B = pick(read(new_BT))
        yield next_B
        new_BT = next_B[:, None]
        if end_id is not None:
            ended_B |= next_B == end_id
            if bool(ended_B.all()):
                return
