"""From a text to the text that a model generates, with its trace if requested.

A decoder continues a text; an encoder–decoder answers one. Either way the model reads the
prompt once and then one token at a time, and the trace of it is the one that a single pass over
the finished text would have (`tracing.recording.growing`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.beam_search import beam_search
from vitral.generation.folder_rules import rules_of, unknown
from vitral.generation.generate import ENDED, generate_ids
from vitral.generation.options import GenerationOptions
from vitral.generation.reading import Reader, reader_of
from vitral.generation.spelling import Spelling, spelled
from vitral.models.description import context, has_decoder, number, pad_id, start_id
from vitral.models.generation_settings import end_ids, settings_of
from vitral.surfaces.place import TextSpan
from vitral.text.raw_bytes import BROKEN
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.growing import AttentionUnseenError, GrowingTrace
from vitral.tracing.recording.inputs import arguments, check_ids, device_of, pad
from vitral.tracing.recording.reading import bare_tokens, read_text
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Prompt:
    """The tokens that are read before the first one is written: by the decoder, and by the
    encoder of an encoder–decoder (None in other models)."""

    decoder: list[Token]
    encoder: list[Token] | None

    @property
    def before(self) -> list[int]:
        """The ids before the written ones, for decoding: none for an answer, a new text."""
        return [] if self.encoder is not None else [token.id for token in self.decoder]

    def ids(self, device: torch.device) -> Tensor:
        return torch.tensor([[token.id for token in self.decoder]], device=device)

    def encoder_ids(self, device: torch.device) -> Tensor | None:
        if self.encoder is None:
            return None
        return torch.tensor([[token.id for token in self.encoder]], device=device)


def prompt_of(
    module: nn.Module,
    tokenizer: Any,
    text: str,
    *,
    special_tokens: bool = False,
    add_special_tokens: bool = True,
) -> Prompt:
    """The tokens of `text` as `module` reads them before writing. Raises what `read_text` does,
    `tokenizer_missing`, and `text_too_long` for more than an encoder takes."""
    if tokenizer is None:
        raise VitralError("tokenizer_missing", model=type(module).__name__)
    tokens = read_text(
        tokenizer, text, special_tokens=special_tokens, add_special_tokens=add_special_tokens
    )
    if has_decoder(module):
        most = context(module)
        if most is not None and len(tokens) > most:
            name = type(module).__name__
            raise VitralError("text_too_long", length=len(tokens), context=most, model=name)
        return Prompt(bare_tokens([start_id(module, tokenizer)], tokenizer), tokens)
    # An end token would end the text.
    while len(tokens) > 1 and tokens[-1].special and tokens[-1].start is None:
        tokens = tokens[:-1]
    return Prompt(tokens, None)


def _asked(module: nn.Module, tokenizer: Any, text: str, options: GenerationOptions) -> Prompt:
    return prompt_of(
        module,
        tokenizer,
        text,
        special_tokens=options.special_tokens,
        add_special_tokens=options.add_special_tokens,
    )


def check_prompts_known(module: nn.Module, prompts: Sequence[Prompt]) -> None:
    """Raises VitralError `id_out_of_range` for a token that the model does not have."""
    rows = [[*prompt.decoder, *(prompt.encoder or [])] for prompt in prompts]
    check_ids([[token.id for token in row] for row in rows], number(module, "vocab_size"))


def write(
    module: nn.Module, tokenizer: Any, texts: Sequence[str], options: GenerationOptions
) -> list[str]:
    """Each of `texts` continued, or the answer to it: as in `pieces` or, with beams, by
    `beam_search` (one text after the other)."""
    if options.num_beams is not None:
        return [_most_likely(module, tokenizer, text, options) for text in texts]
    prompts = [_asked(module, tokenizer, text, options) for text in texts]
    spellings = [_spelling(tokenizer, prompt, options) for prompt in prompts]
    for next_B in _new_ids(module, tokenizer, prompts, options):
        for spelling, token in zip(spellings, next_B.tolist(), strict=True):
            if token != ENDED and not spelling.stopped:
                spelling.add(token)
        if all(spelling.stopped for spelling in spellings):
            break
    for spelling in spellings:
        if not spelling.stopped:
            spelling.end()
    answers = [prompt.encoder is not None for prompt in prompts]
    return [
        spelling.text if answer else text + spelling.text
        for text, spelling, answer in zip(texts, spellings, answers, strict=True)
    ]


def pieces(
    module: nn.Module,
    tokenizer: Any,
    text: str,
    options: GenerationOptions,
    reader: Reader | None = None,
) -> Iterator[str]:
    """The generated text, piece by piece.

    No piece splits a character: its bytes wait for the rest of it. The text ends before the first
    of the strings `stop`, and the possible beginning of one waits until it is decided.
    """
    prompt = _asked(module, tokenizer, text, options)
    spelling = _spelling(tokenizer, prompt, options)
    for token in _new_ids(module, tokenizer, [prompt], options, reader):
        if piece := spelling.add(int(token)):
            yield piece
        if spelling.stopped:
            return
    if piece := spelling.end():
        yield piece


def _most_likely(module: nn.Module, tokenizer: Any, text: str, options: GenerationOptions) -> str:
    prompt = _asked(module, tokenizer, text, options)
    check_prompts_known(module, [prompt])
    device = device_of(module)
    assert options.num_beams is not None
    settings = settings_of(module)
    if settings.get("early_stopping") not in (None, True, False):
        raise unknown("early_stopping", settings["early_stopping"])
    if options.length_penalty is not None:
        settings = settings | {"length_penalty": options.length_penalty}
    finished = beam_search(
        module,
        prompt.ids(device)[0],
        num_beams=options.num_beams,
        max_new_tokens=options.max_new_tokens,
        length_penalty=float(settings.get("length_penalty", 1.0)),
        end_id=end_ids(module, tokenizer),
        encoder_ids=prompt.encoder_ids(device),
        rules=rules_of(module, tokenizer, repetition_penalty=options.repetition_penalty),
        early_stopping=settings.get("early_stopping") is True,
    )
    ids = [token.id for token in prompt.decoder]
    return _written(tokenizer, text, prompt, [*ids, *finished[0].ids])


def _spelling(tokenizer: Any, prompt: Prompt, options: GenerationOptions) -> Spelling:
    return Spelling(tokenizer, prompt.before, tuple(options.stop))


class _Watched:
    """A reader that adds each pass to a growing trace."""

    def __init__(self, read: Reader, growing: GrowingTrace) -> None:
        self._read, self._growing = read, growing

    def __call__(self, new_BT: Tensor) -> Tensor:
        logits_BV = self._read(new_BT)
        self._growing.take()
        return logits_BV

    def reorder(self, rows_B: Tensor) -> None:
        self._read.reorder(rows_B)


def write_traced(
    module: nn.Module, tokenizer: Any, text: str, options: GenerationOptions, *, name: str
) -> Trace:
    """The trace of a generation: prompt and written tokens, as one forward pass over all of them
    would give it. Its text is what was read and written.

    Raises VitralError `options_clash` for what would write another text than the one traced.
    """
    for option in ("stop", "windowed", "num_beams"):
        if getattr(options, option):
            raise VitralError("options_clash", first="trace_generation", second=option)
    prompt = _asked(module, tokenizer, text, options)
    device = device_of(module)
    ids = [token.id for token in prompt.decoder]
    growing: GrowingTrace | None = None
    try:
        with GrowingTrace(module) as growing:
            watched = _Watched(reader_of(module, encoder_ids=prompt.encoder_ids(device)), growing)
            for token in _new_ids(module, tokenizer, [prompt], options, watched):
                ids.append(int(token))
            with torch.no_grad():  # the last token was written and not yet read
                watched(torch.tensor([ids[-1:]], device=device))
    except AttentionUnseenError:
        growing = None
        ids = [token.id for token in prompt.decoder]
        ids += [int(token) for token in _new_ids(module, tokenizer, [prompt], options)]
    if prompt.encoder is not None:
        sides: dict[str, Any] = {
            "text": text,
            "tokens": prompt.encoder,
            "decoder_tokens": bare_tokens(ids, tokenizer),
        }
    else:
        sides = {
            "text": _written(tokenizer, text, prompt, ids),
            "tokens": _placed(tokenizer, prompt.decoder, text, ids),
            "decoder_tokens": [],
        }
    if growing is not None:
        return growing.trace(name, **sides)
    return _traced_at_once(module, name, sides)


def _traced_at_once(module: nn.Module, name: str, sides: dict[str, Any]) -> Trace:
    """The trace of a text that is finished, in one forward pass."""
    batch = pad([[token.id for token in sides["tokens"]]], 0)
    answer = sides["decoder_tokens"]
    decoder = pad([[token.id for token in answer]], 0) if answer else None
    args, named = arguments(module, batch, decoder)
    return record(module, args, named).trace(0, model=name, **sides)


def _new_ids(
    module: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    options: GenerationOptions,
    reader: Reader | None = None,
) -> Iterator[Tensor]:
    if reader is None or isinstance(reader, _Watched):
        check_prompts_known(module, prompts)
    encoder_BS, mask_BS = _encoder_batch(module, tokenizer, prompts)
    return generate_ids(
        module,
        [[token.id for token in prompt.decoder] for prompt in prompts],
        max_new_tokens=options.max_new_tokens,
        sampling=options.sampling,
        seed=options.seed,
        end_id=end_ids(module, tokenizer),
        encoder_ids=encoder_BS,
        encoder_mask=mask_BS,
        reader=reader,
        windowed=options.windowed,
        rules=rules_of(module, tokenizer, repetition_penalty=options.repetition_penalty),
    )


def _encoder_batch(
    module: nn.Module, tokenizer: Any, prompts: Sequence[Prompt]
) -> tuple[Tensor | None, Tensor | None]:
    """What the encoder reads [B, S], padded at the ends, and its mask, None without padding."""
    rows = [prompt.encoder for prompt in prompts if prompt.encoder is not None]
    if not rows:
        return None, None
    batch = pad([[token.id for token in row] for row in rows], pad_id(module, tokenizer))
    device = device_of(module)
    whole = bool(batch.mask.all())
    return batch.ids.to(device), None if whole else batch.mask.to(device)


def _written(tokenizer: Any, text: str, prompt: Prompt, ids: list[int]) -> str:
    if prompt.encoder is not None:
        return spelled(tokenizer, ids)
    before = spelled(tokenizer, [token.id for token in prompt.decoder])
    return text + spelled(tokenizer, ids)[len(before) :]


def _placed(tokenizer: Any, prompt: list[Token], text: str, ids: list[int]) -> list[Token]:
    """The prompt's tokens and after them the written ones, each with its place in the text: the
    characters that the text gains by it. A token that completes a character begun by others
    stands, as they do, for the whole of it."""
    num_read = len(prompt)
    before = len(text) - len(spelled(tokenizer, ids[:num_read]))
    written = spelled(tokenizer, ids)
    # Where the text ends after each token; a character of which bytes are missing does not count.
    ends = [
        len(spelled(tokenizer, ids[:count]).rstrip(BROKEN))
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
            placed.append(replace(token, text=piece, place=TextSpan(before + start, before + end)))
    return placed
