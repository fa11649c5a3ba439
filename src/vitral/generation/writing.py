"""From a text to what a model writes, and, if asked for, the trace of its writing.

A decoder writes a text on; an encoder–decoder answers one. Either way the model reads the
prompt once and then one token at a time, and the trace of it is the one that a single pass over
the finished text would have left (`tracing.growing`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.beam_search import beam_search
from vitral.generation.generate import GREEDY, generate_ids
from vitral.generation.reading import Reader, reader_of
from vitral.generation.sampling import Sampling
from vitral.models.description import kind, number, pad_id
from vitral.tracing.growing import GrowingTrace
from vitral.tracing.reading import bare_tokens, read_text
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Prompt:
    """What is read before the first token is written: by the decoder, and, in an
    encoder–decoder, by the encoder before it (else None)."""

    decoder: list[Token]
    encoder: list[Token] | None

    def ids(self, device: torch.device) -> Tensor:
        return torch.tensor([[token.id for token in self.decoder]], device=device)

    def encoder_ids(self, device: torch.device) -> Tensor | None:
        if self.encoder is None:
            return None
        return torch.tensor([[token.id for token in self.encoder]], device=device)


def prompt_of(module: nn.Module, tokenizer: Any, text: str) -> Prompt:
    """The tokens of `text` as `module` reads them before writing. Raises what `read_text` does,
    and `tokenizer_missing`."""
    if tokenizer is None:
        raise VitralError("tokenizer_missing", model=type(module).__name__)
    tokens = read_text(tokenizer, text)
    if kind(module) == "encoder-decoder":
        start = number(module, "decoder_start_token_id")
        start = pad_id(module, tokenizer) if start is None else start
        return Prompt(bare_tokens([start], tokenizer), tokens)
    while len(tokens) > 1 and tokens[-1].start is None:  # an end mark would end it all
        tokens = tokens[:-1]
    return Prompt(tokens, None)


def write(
    module: nn.Module,
    tokenizer: Any,
    text: str,
    *,
    num_beams: int | None = None,
    length_penalty: float = 1.0,
    sampling: Sampling = GREEDY,
    stop: Sequence[str] = (),
    windowed: bool = False,
    **options: Any,
) -> str:
    """`text` written on, or the answer to it: what `pieces` gives, or, with `num_beams`, what
    `beam_search` finds. Raises `options_clash` for beams with what they cannot take."""
    if num_beams is None:
        before = "" if kind(module) == "encoder-decoder" else text
        options |= {"sampling": sampling, "stop": stop, "windowed": windowed}
        return before + "".join(pieces(module, tokenizer, text, **options))
    others = {"stop": bool(stop), "windowed": windowed, "sampling": sampling != GREEDY}
    clash = next((option for option, given in others.items() if given), None)
    if clash is not None:
        raise VitralError("options_clash", first="num_beams", second=clash)
    prompt = prompt_of(module, tokenizer, text)
    device = next(module.parameters()).device
    finished = beam_search(
        module,
        prompt.ids(device)[0],
        num_beams=num_beams,
        max_new_tokens=options["max_new_tokens"],
        length_penalty=length_penalty,
        end_id=end_id(module, tokenizer),
        encoder_ids=prompt.encoder_ids(device),
    )
    ids = [token.id for token in prompt.decoder]
    return _written(tokenizer, text, prompt, [*ids, *finished[0].ids])


def pieces(
    module: nn.Module, tokenizer: Any, text: str, *, stop: Sequence[str] = (), **options: Any
) -> Iterator[str]:
    """What is written, piece by piece as it comes; `options` are those of `generate_ids`.

    No piece splits a character: bytes of one wait for the rest of it. Writing ends before the
    first of the strings `stop`, and what may be the beginning of one waits until it is known.
    """
    prompt = prompt_of(module, tokenizer, text)
    ids = [token.id for token in prompt.decoder]
    begun = given = len(_decoded(tokenizer, ids)) if prompt.encoder is None else 0
    written = ""
    for token in _new_ids(module, tokenizer, prompt, **options):
        ids.append(int(token))
        written = _decoded(tokenizer, ids)
        found = [place for each in stop if (place := written.find(each, begun)) >= 0]
        if found:
            yield written[given : max(given, min(found))]
            return
        certain = len(written.rstrip("\ufffd")) - _length_of_a_beginning(written[begun:], stop)
        if certain > given:
            yield written[given:certain]
            given = certain
    if given < len(written):
        yield written[given:]


def _length_of_a_beginning(text: str, stop: Sequence[str]) -> int:
    """How much of the end of `text` may be the beginning of a string of `stop`."""
    lengths = (
        length for each in stop for length in range(1, len(each)) if text.endswith(each[:length])
    )
    return max(lengths, default=0)


class _Watched:
    """A reader whose every pass is kept in a growing trace."""

    def __init__(self, read: Reader, growing: GrowingTrace) -> None:
        self._read, self._growing = read, growing

    def __call__(self, new_BT: Tensor) -> Tensor:
        logits_BV = self._read(new_BT)
        self._growing.take()
        return logits_BV

    def reorder(self, rows_B: Tensor) -> None:
        self._read.reorder(rows_B)


def write_traced(
    module: nn.Module, tokenizer: Any, text: str, *, name: str, **options: Any
) -> Trace:
    """The trace of writing on: prompt and written tokens, as one forward pass over all of them
    would give it. Its text is what was read and written."""
    prompt = prompt_of(module, tokenizer, text)
    device = next(module.parameters()).device
    ids = [token.id for token in prompt.decoder]
    with GrowingTrace(module) as growing:
        read = reader_of(module, encoder_ids=prompt.encoder_ids(device))

        watched = _Watched(read, growing)
        for token in _new_ids(module, tokenizer, prompt, reader=watched, **options):
            ids.append(int(token))
        with torch.no_grad():  # the last token was written and not yet read
            watched(torch.tensor([ids[-1:]], device=device))
    written = _written(tokenizer, text, prompt, ids)
    if prompt.encoder is not None:
        return growing.trace(name, text, prompt.encoder, bare_tokens(ids, tokenizer))
    tokens = _placed(tokenizer, prompt.decoder, text, ids)
    return growing.trace(name, written, tokens, [])


def _new_ids(module: nn.Module, tokenizer: Any, prompt: Prompt, **options: Any) -> Iterator[Tensor]:
    device = next(module.parameters()).device
    return generate_ids(
        module,
        prompt.ids(device),
        end_id=end_id(module, tokenizer),
        encoder_ids=prompt.encoder_ids(device),
        **options,
    )


def end_id(module: nn.Module, tokenizer: Any) -> int | None:
    """The token that ends a text: the tokenizer's, else the configuration's; None if neither
    names one."""
    names = ("</s>", "<|endoftext|>", "<|end|>", "<s>")
    if hasattr(tokenizer, "token_to_id"):
        found = next((i for i in map(tokenizer.token_to_id, names) if i is not None), None)
    else:
        found = getattr(tokenizer, "eos_token_id", None)
    return number(module, "eos_token_id") if found is None else found


def _decoded(tokenizer: Any, ids: list[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=True)
    return text


def _written(tokenizer: Any, text: str, prompt: Prompt, ids: list[int]) -> str:
    if prompt.encoder is not None:
        return _decoded(tokenizer, ids)
    before = _decoded(tokenizer, [token.id for token in prompt.decoder])
    return text + _decoded(tokenizer, ids)[len(before) :]


def _placed(tokenizer: Any, prompt: list[Token], text: str, ids: list[int]) -> list[Token]:
    """The prompt's tokens and after them the written ones, each with its place in the text: the
    characters that the text gains by it. A token that completes a character begun by others
    stands, as they do, for the whole of it."""
    num_read = len(prompt)
    before = len(text) - len(_decoded(tokenizer, ids[:num_read]))
    written = _decoded(tokenizer, ids)
    # Where the text ends after each token; a character of which bytes are missing does not count.
    ends = [
        len(_decoded(tokenizer, ids[:count]).rstrip("\ufffd"))
        for count in range(num_read, len(ids) + 1)
    ]
    placed = list(prompt)
    for index, token in enumerate(bare_tokens(ids[num_read:], tokenizer)):
        start = ends[index]
        end = next((end for end in ends[index + 1 :] if end > start), len(written))
        if token.special or start == end:
            placed.append(token)
        else:
            piece = written[start:end]
            placed.append(replace(token, text=piece, start=before + start, end=before + end))
    return placed
