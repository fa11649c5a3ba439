"""Generation: predict the next token, append it, repeat.

With a cache each step computes one token only; without it, the whole text again. Both generate the
same text, as a test shows.

Texts of unequal length are generated in one batch: the shorter ones are padded at the start, and
each has the same result as alone. The padding repeats the text's own first token, so it adds
nothing for a repetition penalty.

When the model's context is full, generation ends; or, if it is *windowed*, it continues from the
last half of the text, and the rest is dropped.

Shapes: B texts, T tokens so far with the padding.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.folder_rules import FolderRules, Ruled
from vitral.generation.reading import Reader, can_write, reader_of
from vitral.generation.sampling import Sampling
from vitral.models.description import architecture, context
from vitral.models.generation_settings import as_ids
from vitral.stopping import check_stop
from vitral.tracing.recording.inputs import device_of

GREEDY = Sampling()
ENDED = -1
"""Yielded for a text that has ended while others continue."""


def generate_ids(
    module: nn.Module,
    ids: Tensor | Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    seed: int | None = None,
    end_id: int | Collection[int] | None = None,
    use_cache: bool = True,
    encoder_ids: Tensor | None = None,
    encoder_mask: Tensor | None = None,
    reader: Reader | None = None,
    windowed: bool = False,
    rules: FolderRules | None = None,
) -> Iterator[Tensor]:
    """Yield the next token [B] of each text, up to `max_new_tokens` times. A text ends with
    `end_id` (one of them, if they are several), or where the model's context is full, unless
    `windowed`; from then on its token is `ENDED`, and when all have ended, so does the writing.

    `ids` are what the decoder has read so far, rows of one length [B, T] or of several; an
    encoder–decoder's encoder reads `encoder_ids`, of which `encoder_mask` is 0 at padding. Each
    text draws with a generator of its own, begun with `seed`. `reader` is what reads (see
    `generation.reading`), for those who want to watch it do so; it reads no padding, and cannot
    be windowed. `rules` are those of the model's folder, which come before the sampling.

    Raises `text_empty` for no tokens, `text_too_long` if a prompt leaves no room,
    `option_invalid` for a number of tokens below 1, and `cannot_write` for a model that is made
    for something else.
    """
    assert reader is None or not windowed, "a window begins a new reading"
    device = device_of(module)
    rows = [torch.as_tensor(row, dtype=torch.long, device=device) for row in ids]
    check_prompts(module, rows, max_new_tokens, windowed=windowed)
    if not can_write(module):
        raise VitralError("cannot_write", model=type(module).__name__)
    size = context(module, "decoder")
    generators = None
    if seed is not None:
        generators = [torch.Generator(device).manual_seed(seed) for _ in rows]

    ruled = None
    if rules is not None:
        sources = None if encoder_ids is None else _unpadded(encoder_ids, encoder_mask)
        ruled = Ruled(rules, [row.tolist() for row in rows], max_new_tokens, sources)

    def open_reader(texts: list[int], num_pads: list[int], longest: int) -> Reader:
        room = longest + max_new_tokens
        return reader or reader_of(
            module,
            encoder_ids=None if encoder_ids is None else encoder_ids[texts],
            encoder_mask=None if encoder_mask is None else encoder_mask[texts],
            use_cache=use_cache,
            num_pads=num_pads,
            room=room if size is None else min(room, size),
        )

    def pick(logits_BV: Tensor, read_BT: Tensor, texts: list[int]) -> Tensor:
        own = None if generators is None else [generators[text] for text in texts]
        if ruled is None:
            return sampling.choose(logits_BV, read_BT, own)
        next_B = sampling.choose(ruled.scores(logits_BV, texts), read_BT, own)
        ruled.wrote(next_B, texts)
        return next_B

    return _generate(
        rows,
        open_reader,
        pick,
        max_new_tokens=max_new_tokens,
        size=size,
        end_ids=as_ids(end_id),
        windowed=windowed,
    )


def check_prompts(
    module: nn.Module, rows: Sequence[Tensor], max_new_tokens: int, *, windowed: bool = False
) -> None:
    """Raises VitralError if nothing could be generated; see `generate_ids`."""
    size, lengths = context(module, "decoder"), [len(row) for row in rows]
    if not lengths or min(lengths) == 0:
        raise VitralError("text_empty")
    if size is not None and max(lengths) >= size and not windowed:
        name = architecture(module)
        raise VitralError("text_too_long", length=max(lengths), context=size, model=name)
    if max_new_tokens < 1:
        raise VitralError("option_invalid", option="max_new_tokens", value=max_new_tokens, least=1)


def _unpadded(ids_BS: Tensor, mask_BS: Tensor | None) -> list[Tensor]:
    if mask_BS is None:
        return list(ids_BS)
    return [ids[mask.bool()] for ids, mask in zip(ids_BS, mask_BS, strict=True)]


def padded(rows: Sequence[Tensor]) -> tuple[Tensor, list[int]]:
    """Rows of ids [B, T] with their own first token before the shorter ones, and how often."""
    longest = max(map(len, rows))
    num_pads = [longest - len(row) for row in rows]
    full = [torch.cat((row[:1].expand(n), row)) for row, n in zip(rows, num_pads, strict=True)]
    return torch.stack(full), num_pads


@torch.no_grad()
def _generate(
    rows: list[Tensor],
    open_reader: Callable[[list[int], list[int], int], Reader],
    pick: Callable[[Tensor, Tensor, list[int]], Tensor],
    *,
    max_new_tokens: int,
    size: int | None,
    end_ids: Collection[int],
    windowed: bool,
) -> Iterator[Tensor]:
    """`open_reader` and `pick` receive the numbers of the texts that they work on: a text leaves
    the batch when its context is full, and all that are left are then read anew."""
    texts, ended = list(range(len(rows))), [False] * len(rows)
    read: Reader | None = None
    for _ in range(max_new_tokens):
        check_stop()
        if read is None:
            if size is not None:
                rows = [row[-(size // 2) :] if len(row) >= size else row for row in rows]
            read_BT, num_pads = padded(rows)
            read, new_BT = open_reader(texts, num_pads, read_BT.shape[1]), read_BT
        next_B = pick(read(new_BT), read_BT, texts)
        yield _of_all(next_B, texts, ended)
        new_BT = next_B[:, None]
        read_BT = torch.cat((read_BT, new_BT), dim=1)
        for text, token in zip(texts, next_B.tolist(), strict=True):
            ended[text] = ended[text] or token in end_ids
        if size is not None and read_BT.shape[1] >= size:  # the longest has no padding
            rows = [row[pads:] for row, pads in zip(read_BT, num_pads, strict=True)]
            for text, row in zip(texts, rows, strict=True):
                ended[text] = ended[text] or (len(row) >= size and not windowed)
            rows = [row for text, row in zip(texts, rows, strict=True) if not ended[text]]
            texts, read = [text for text in texts if not ended[text]], None
        if all(ended):
            return


def _of_all(next_B: Tensor, texts: list[int], ended: list[bool]) -> Tensor:
    """The next token of each text, `ENDED` for those that have ended."""
    if not any(ended):
        return next_B
    all_B = torch.full((len(ended),), ENDED, device=next_B.device)
    all_B[texts] = next_B
    return all_B.masked_fill(torch.tensor(ended, device=next_B.device), ENDED)
