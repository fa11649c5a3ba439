"""Generation one token at a time, where the caller makes every choice.

`generate` goes from a text to a text. To inspect and choose each token, go back and try another
branch, use `Stepping`:

    stepping = Stepping(model.module, model.tokenizer, "Había una vez")
    look = stepping.look([])             # the logits of the next token, before any is written
    step = stepping.draw([], sampling, seed=7)
    stepping.look([step.id])             # … and after one
    stepping.look([421])                 # another branch

The text that was read stays in the model's cache as long as the next text continues it; otherwise
the model reads the new text from the start, which takes longer and has the same result.

An encoder–decoder answers: its encoder reads the text, and the answer begins with the
start token that its decoder is given.

**Seeds.** `generate` draws once per token, from a generator that starts with the seed. Here the
n-th written token is drawn with that generator's n-th draw, whatever was chosen before it. So
tokens sampled one after another are those of `generate`, and a token that was forced in between
leaves the random numbers of the later ones unchanged.

Shapes: T tokens read, S tokens that an encoder read, V vocabulary, L layers, H heads.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.folder_rules import rules_of
from vitral.generation.generate import check_prompts
from vitral.generation.reading import Reader, can_write, kept_bytes, reader_of
from vitral.generation.sampling import Sampling
from vitral.generation.writing import check_prompts_known, prompt_of
from vitral.models.description import architecture, context
from vitral.models.generation_settings import end_ids
from vitral.tracing.recording.inputs import device_of
from vitral.tracing.recording.last_row import LastRow

Ended = Literal["end", "context"]
"""Why a text has ended: the model wrote its end token, or its context is full."""


@dataclass(frozen=True)
class Look:
    """The model's prediction after a text: the logits float32 [V] of the next token.

    `attention` has by layer the weights [H, T] of the most recent token on the tokens from `start`
    on, those that are read; `cross`, of an encoder–decoder, those [H, S] on what the encoder read.
    Layers count from 0; those without attention are in neither. Either is None without `watched`,
    or if it cannot be recorded.
    """

    logits: Tensor
    start: int
    attention: dict[int, Tensor] | None
    cross: dict[int, Tensor] | None


@dataclass(frozen=True)
class Step:
    """A token that was sampled. `share` is its probability after rules and sampling settings;
    `log_probability` is the model's own, in nats; `rank` counts from 1, the model's most likely.
    `shares` [V] are those of all tokens."""

    id: int
    share: float
    log_probability: float
    rank: int
    shares: Tensor


class Stepping:
    """One prompt and a model that writes; see the head of the file.

    `prompt` are the tokens that the decoder begins with, `source` those that an encoder reads
    (None without one), `before` the ids after which the written ones are decoded. If `watched`,
    each `Look` has the most recent token's attention; if not, Vitral's own decoders use their fast
    form. Raises VitralError `cannot_write`, `text_too_long` if the prompt leaves no room (unless
    `windowed`), and what `prompt_of` raises.
    """

    def __init__(
        self,
        module: nn.Module,
        tokenizer: Any,
        text: str,
        *,
        windowed: bool = False,
        watched: bool = True,
        special_tokens: bool = False,
        add_special_tokens: bool = True,
    ) -> None:
        if not can_write(module):
            raise VitralError("cannot_write", model=architecture(module))
        prompt = prompt_of(
            module,
            tokenizer,
            text,
            special_tokens=special_tokens,
            add_special_tokens=add_special_tokens,
        )
        self.prompt, self.source, self.before = prompt.decoder, prompt.encoder, prompt.before
        self.context = context(module, "decoder")
        self._module, self._tokenizer, self._windowed = module, tokenizer, windowed
        self._last_row = LastRow(module) if watched else None
        self._end_ids = end_ids(module, tokenizer)
        self._device = device_of(module)
        self.encoder_ids = prompt.encoder_ids(self._device)
        self._prompt_ids = [token.id for token in self.prompt]
        row = torch.tensor(self._prompt_ids)
        check_prompts(module, [row], 1, windowed=windowed)
        self._asked = prompt
        self._reader: Reader | None = None
        self._read: list[int] = []  # the tokens that the reader has read, from the window's start
        self._look: Look | None = None  # the prediction after them
        self._generator = torch.Generator(self._device)
        self._next_draw: tuple[int, int] | None = (
            None  # a seed, and the number of draws made with it
        )

    @property
    def num_bytes(self) -> int:
        """Memory of the reader's cache, in bytes."""
        return 0 if self._reader is None else kept_bytes(self._reader)

    def start(self, written: Sequence[int]) -> int:
        """The first token that is still read: 0, or, in a window, where the last one began."""
        total, size = len(self.prompt) + len(written), self.context
        if not self._windowed or size is None:
            return 0
        half = size // 2
        prompt = len(self.prompt)
        start = prompt - half if prompt >= size else 0
        while total - start >= size:
            start += size - half
        return start

    def ended(self, written: Sequence[int]) -> Ended | None:
        """Why the text ends after `written`; None if it can continue."""
        if written and written[-1] in self._end_ids:
            return "end"
        full = self.context is not None and len(self.prompt) + len(written) >= self.context
        return "context" if full and not self._windowed else None

    def num_known(self, written: Sequence[int]) -> int:
        """How many of the tokens are in the cache already; -1 if it holds another text."""
        start = self.start(written)
        window = [*self._prompt_ids, *written][start:]
        same_start = self._look is not None and self._look.start == start
        return len(self._read) if same_start and window[: len(self._read)] == self._read else -1

    def look(self, written: Sequence[int]) -> Look:
        """The prediction after the prompt and `written`, which must not have `ended`."""
        start = self.start(written)
        window = [*self._prompt_ids, *written][start:]
        known = self.num_known(written)
        if known == len(window) and self._look is not None:
            return self._look
        last_row = self._last_row
        with last_row or nullcontext(), torch.no_grad():
            if known < 0 or self._reader is None:
                check_prompts_known(self._module, [self._asked])
                known, self._reader = 0, reader_of(self._module, encoder_ids=self.encoder_ids)
            new_BT = torch.tensor([window[known:]], device=self._device)
            logits_V = self._reader(new_BT)[0].float()
        rows, cross = ({}, {}) if last_row is None else (last_row.rows, last_row.cross)
        if self.source is not None and any(row.shape[-1] > len(window) for row in rows.values()):
            rows = {}  # one attention to both texts at once, and so to neither alone (T5Gemma 2)
        self._read = window
        self._look = Look(logits_V, start, _aligned(rows, len(window)) or None, cross or None)
        return self._look

    def draw(self, written: Sequence[int], sampling: Sampling, seed: int) -> Step:
        """The token that follows `written`: the most likely at temperature 0, otherwise sampled."""
        look = self.look(written)
        logits_BV = self._ruled(look.logits[None], written, sampling)
        read_BT = torch.tensor([self._read], device=self._device)
        generator = None
        shares_V = torch.zeros_like(look.logits)
        if sampling.temperature > 0:
            generator = self._draws(seed, len(written), len(look.logits))
            shares_V = sampling.scores(logits_BV, read_BT)[0].softmax(-1)
        token = int(sampling.choose(logits_BV, read_BT, generator))
        if sampling.temperature == 0:
            shares_V[token] = 1.0
        logits_V = look.logits
        return Step(
            id=token,
            share=float(shares_V[token]),
            log_probability=float(logits_V.log_softmax(-1)[token]),
            rank=int((logits_V > logits_V[token]).sum()) + 1,
            shares=shares_V,
        )

    def _ruled(self, logits_1V: Tensor, written: Sequence[int], sampling: Sampling) -> Tensor:
        """The logits after the rules of the model's folder: a repetition penalty that was asked
        for replaces the folder's, and the last token that fits into the context is the one that
        `forced_eos_token_id` names."""
        penalty = None if sampling.repetition_penalty == 1 else sampling.repetition_penalty
        rules = rules_of(self._module, self._tokenizer, repetition_penalty=penalty)
        if rules is None:
            return logits_1V
        source = None if self.encoder_ids is None else self.encoder_ids[0].cpu()
        # Only the context limits how long a text becomes, and a window not even that.
        room = None
        if self.context is not None and not self._windowed:
            room = self.context - len(self.prompt)
        rule = rules.of_text(self._prompt_ids, room, source)
        ids_1T = torch.tensor([[*self._prompt_ids, *written]])
        return rule(ids_1T, logits_1V.cpu()).to(logits_1V.device)

    def _draws(self, seed: int, place: int, size: int) -> torch.Generator:
        """The seed's generator before its draw number `place`, each of `size` shares."""
        if self._next_draw is None or self._next_draw[0] != seed or self._next_draw[1] > place:
            self._generator.manual_seed(seed)
            self._next_draw = (seed, 0)
        even_V = torch.ones(size, device=self._device)
        for _ in range(self._next_draw[1], place):
            torch.multinomial(even_V, 1, generator=self._generator)
        self._next_draw = (seed, place + 1)
        return self._generator


def _aligned(rows: dict[int, Tensor], num_tokens: int) -> dict[int, Tensor]:
    """Each layer's weights for all tokens: zero for those that a layer's window has dropped."""
    return {
        layer: nn.functional.pad(row, (num_tokens - row.shape[-1], 0))[:, -num_tokens:]
        for layer, row in rows.items()
    }
