"""Generation: ask the model for the next token, append it, ask again.

With a cache each step computes one token only; without, the whole text again. Both give the
same text (a test says so): the cache saves work and changes nothing.

When the model's context is full, writing ends; or, if it is *windowed*, goes on from the last
half of what was read, the rest being forgotten.

Shapes: B batch, T tokens so far.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.reading import Reader, reader_of
from vitral.generation.sampling import Sampling
from vitral.models.description import architecture, context

GREEDY = Sampling()


def generate_ids(
    module: nn.Module,
    ids_BT: Tensor,
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    seed: int | None = None,
    end_id: int | None = None,
    use_cache: bool = True,
    encoder_ids: Tensor | None = None,
    reader: Reader | None = None,
    windowed: bool = False,
) -> Iterator[Tensor]:
    """Yield the next token [B] of each text, up to `max_new_tokens` times, at most until the
    model's context is full, unless `windowed`; stops after the step in which every text has met
    `end_id`.

    `ids_BT` are what the decoder has read so far; an encoder–decoder's encoder reads
    `encoder_ids`. `reader` is what reads (see `generation.reading`), for those who want to watch
    it do so; it cannot be windowed.

    Raises `text_empty` for no tokens, `text_too_long` if the prompt leaves no room,
    `option_invalid` for a number of tokens below 1, and `cannot_write` for a model that is made
    for something else.
    """
    assert reader is None or not windowed, "a window begins a new reading"
    check_prompt(module, ids_BT, max_new_tokens, windowed=windowed)
    generator = None if seed is None else torch.Generator(ids_BT.device).manual_seed(seed)

    def new_reader() -> Reader:
        return reader_of(module, encoder_ids=encoder_ids, use_cache=use_cache)

    return _generate(
        reader or new_reader(),
        new_reader if windowed else None,
        ids_BT,
        max_new_tokens=max_new_tokens,
        size=context(module),
        pick=lambda logits_BV, read_BT: sampling.choose(logits_BV, read_BT, generator),
        end_id=end_id,
    )


def check_prompt(
    module: nn.Module, ids_BT: Tensor, max_new_tokens: int, *, windowed: bool = False
) -> None:
    """Raises VitralError where nothing could be written; see `generate_ids`."""
    size, length = context(module), ids_BT.shape[1]
    if length == 0:
        raise VitralError("text_empty")
    if size is not None and length >= size and not windowed:
        name = architecture(module)
        raise VitralError("text_too_long", length=length, context=size, model=name)
    if max_new_tokens < 1:
        raise VitralError("option_invalid", option="max_new_tokens", value=max_new_tokens, least=1)


@torch.no_grad()
def _generate(
    read: Reader,
    new_reader: Callable[[], Reader] | None,
    read_BT: Tensor,
    *,
    max_new_tokens: int,
    size: int | None,
    pick: Callable[[Tensor, Tensor], Tensor],
    end_id: int | None,
) -> Iterator[Tensor]:
    if size is not None and read_BT.shape[1] >= size:
        read_BT = read_BT[:, -(size // 2) :]
    new_BT = read_BT
    ended_B = torch.zeros(len(new_BT), dtype=torch.bool, device=new_BT.device)
    for _ in range(max_new_tokens):
        next_B = pick(read(new_BT), read_BT)
        yield next_B
        new_BT = next_B[:, None]
        read_BT = torch.cat((read_BT, new_BT), dim=1)
        if end_id is not None:
            ended_B |= next_B == end_id
            if bool(ended_B.all()):
                return
        if size is not None and read_BT.shape[1] >= size:
            if new_reader is None:
                return
            read = new_reader()
            new_BT = read_BT = read_BT[:, -(size // 2) :]
