"""The rules in a model's folder for every text that it generates.

`generation_config.json` can forbid repeated n-grams and certain tokens, force the first or the
last token, and set a minimum length. transformers' `generate`
follows it, and so does Vitral: otherwise the same model would write different texts. The rules are
transformers' own, applied in its order; they are imported only if a folder has some.

The user's options (how many tokens, whether and how to sample, how many beams) are not taken from
the folder. Vitral refuses a setting that it cannot follow, by its name.

Shapes: B texts, T tokens so far, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.generation_settings import as_ids, end_ids, settings_of

Rule = Callable[[Tensor, Tensor], Tensor]
"""From the ids [1, T] of one text and the scores [1, V] of the next token to other scores."""

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "sequence_bias": ({}, []),
    "encoder_repetition_penalty": (1,),
    "repetition_penalty": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "bad_words_ids": ([],),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "forced_bos_token_id": (),
    "forced_eos_token_id": ([],),
    "exponential_decay_length_penalty": (),
    "suppress_tokens": ([],),
    "begin_suppress_tokens": ([],),
}
"""The rules that Vitral follows, and their values without an effect."""

_REFUSED: dict[str, tuple[Any, ...]] = {
    "guidance_scale": (1,),
    "watermarking_config": (),
    "token_healing": (False,),
    "constraints": ([],),
    "force_words_ids": ([],),
    "forced_decoder_ids": ([],),
    "penalty_alpha": (0,),
    "dola_layers": (),
    "stop_strings": ([], ""),
}
"""Settings that change the text and that Vitral does not support."""


@dataclass(frozen=True)
class FolderRules:
    """The rules of one model: `settings` are those with an effect, `ends` the end tokens."""

    settings: dict[str, Any]
    ends: list[int]

    def of_text(
        self, prompt: Sequence[int], max_new_tokens: int | None, encoder_ids: Tensor | None
    ) -> Rule:
        """The rules for one text that begins with `prompt`; an encoder has read `encoder_ids`
        [S]. Without `max_new_tokens`, no token is known to be the last."""
        from transformers import LogitsProcessorList

        made = self._processors(len(prompt), max_new_tokens, encoder_ids)
        rule: Rule = LogitsProcessorList(made)
        return rule

    def _processors(
        self, length: int, max_new_tokens: int | None, encoder_ids: Tensor | None
    ) -> list[Any]:
        from transformers.generation import logits_process as theirs

        said, ends = self.settings, torch.tensor(self.ends)
        begin = length + (length == 1 and "forced_bos_token_id" in said)
        source = None if encoder_ids is None else encoder_ids[None]
        last = None if max_new_tokens is None else length + max_new_tokens
        makers: dict[str, Callable[[Any], Any]] = {
            "sequence_bias": theirs.SequenceBiasLogitsProcessor,
            "encoder_repetition_penalty": lambda value: (
                None
                if source is None
                else theirs.EncoderRepetitionPenaltyLogitsProcessor(value, source)
            ),
            "repetition_penalty": lambda value: theirs.RepetitionPenaltyLogitsProcessor(
                float(value)
            ),
            "no_repeat_ngram_size": theirs.NoRepeatNGramLogitsProcessor,
            "encoder_no_repeat_ngram_size": lambda value: (
                None
                if source is None
                else theirs.EncoderNoRepeatNGramLogitsProcessor(value, source)
            ),
            "bad_words_ids": lambda value: theirs.NoBadWordsLogitsProcessor(
                value, ends if self.ends else None
            ),
            "min_length": lambda value: (
                theirs.MinLengthLogitsProcessor(value, ends) if self.ends else None
            ),
            "min_new_tokens": lambda value: (
                theirs.MinNewTokensLengthLogitsProcessor(length, value, ends) if self.ends else None
            ),
            "forced_bos_token_id": theirs.ForcedBOSTokenLogitsProcessor,
            "forced_eos_token_id": lambda value: (
                None if last is None else theirs.ForcedEOSTokenLogitsProcessor(last, value)
            ),
            "exponential_decay_length_penalty": lambda value: theirs.ExponentialDecayLengthPenalty(
                tuple(value), ends, length
            ),
            "suppress_tokens": theirs.SuppressTokensLogitsProcessor,
            "begin_suppress_tokens": lambda value: theirs.SuppressTokensAtBeginLogitsProcessor(
                value, begin
            ),
        }
        made = []
        for name, make in makers.items():
            if name in said:
                try:
                    made.append(make(said[name]))
                except (TypeError, ValueError) as error:  # [[]], "a", -1 …
                    raise unknown(name, said[name]) from error
        return [each for each in made if each is not None]


def rules_of(
    module: nn.Module, tokenizer: Any, *, repetition_penalty: float | None = None
) -> FolderRules | None:
    """The rules in the folder of `module`; None if there are none. A `repetition_penalty` from
    the user replaces the folder's.

    Raises VitralError `generation_setting_unknown` for one that cannot be followed.
    """
    settings = settings_of(module)
    for name, neutral in _REFUSED.items():
        value = settings.get(name)
        if value is not None and value not in neutral:
            raise unknown(name, value)
    said = {
        name: settings[name]
        for name, neutral in _NEUTRAL.items()
        if settings.get(name) is not None and settings[name] not in neutral
    }
    if repetition_penalty is not None:
        said.pop("repetition_penalty", None)
    if "min_new_tokens" in said:
        said.pop("min_length", None)  # as in transformers
    return FolderRules(said, sorted(as_ids(list(end_ids(module, tokenizer))))) if said else None


def unknown(setting: str, value: Any) -> VitralError:
    """The error that names a setting which cannot be followed."""
    return VitralError("generation_setting_unknown", setting=setting, value=value)


class Ruled:
    """The texts of one batch, each with its rules, also if some were read again or padded."""

    def __init__(
        self,
        rules: FolderRules,
        prompts: Sequence[Sequence[int]],
        max_new_tokens: int,
        encoder_rows: Sequence[Tensor] | None,
    ) -> None:
        sources: Sequence[Tensor | None] = encoder_rows or [None] * len(prompts)
        self._written = [list(prompt) for prompt in prompts]
        self._rules = [
            rules.of_text(prompt, max_new_tokens, source)
            for prompt, source in zip(prompts, sources, strict=True)
        ]

    def scores(self, logits_BV: Tensor, texts: Sequence[int]) -> Tensor:
        """The scores [B, V] of what follows each of `texts` after all rules."""
        rows = [
            self._rules[text](torch.tensor([self._written[text]]), logits_V[None])
            for text, logits_V in zip(texts, logits_BV.float().cpu(), strict=True)
        ]
        return torch.cat(rows).to(logits_BV.device)

    def wrote(self, next_B: Tensor, texts: Sequence[int]) -> None:
        """Note the tokens that were chosen."""
        for text, token in zip(texts, next_B.tolist(), strict=True):
            self._written[text].append(token)
