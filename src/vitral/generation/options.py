"""The options of generation, in one place: `Model.generate`, `stream`, `trace_generation` and
`vitral generate` all take these options.

Some options choose among tokens, others search for a whole text; the two cannot be combined.
Vitral refuses an option without an effect, so that none is silently ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vitral.errors import VitralError, check_range
from vitral.generation.sampling import MOST_PENALTY, Sampling

MOST_TOKENS, MOST_BEAMS = 1_000_000, 1000
"""Larger numbers are typing mistakes, and would fill the memory unnoticed."""


@dataclass(frozen=True)
class GenerationOptions:
    """`max_new_tokens` are written at most, fewer if the model's end token, one of the strings
    `stop` or the end of its context comes first; if `windowed`, it continues from the last half of
    a full context.

    At `temperature` 0 the most likely token is always taken; above it one is sampled, from the
    distribution that `top_k`, `top_p`, `min_p` and `repetition_penalty` shape
    (`generation.sampling`), always the same with a `seed`. With `num_beams` the
    most likely text is searched for, long ones favoured by a `length_penalty` (default: 1)
    above 0 (`generation.beam_search`).

    The rules of the model's folder (`generation.folder_rules`) apply too; a `repetition_penalty`,
    even of 1, replaces the folder's.

    With `special_tokens`, the names of special tokens in the text ("<|im_start|>") are those
    tokens; otherwise they are ordinary text.

    Raises VitralError `option_needs` for an option that has no effect without another,
    `options_clash` for two that exclude one another, `stop_empty` for an empty stop string,
    `option_invalid` or `option_out_of_range` for an invalid number.
    """

    max_new_tokens: int = 50
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: str | Sequence[str] = ()
    num_beams: int | None = None
    length_penalty: float | None = None
    windowed: bool = False
    special_tokens: bool = False

    def __post_init__(self) -> None:
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)
        if not all(isinstance(each, str) and each for each in stop):
            raise VitralError("stop_empty")
        object.__setattr__(self, "stop", stop)
        if self.max_new_tokens < 1:
            raise VitralError(
                "option_invalid", option="max_new_tokens", value=self.max_new_tokens, least=1
            )
        sampling = self.sampling  # its numbers are checked first
        check_range("max_new_tokens", self.max_new_tokens, 1, MOST_TOKENS)
        if self.seed is not None:
            check_range("seed", self.seed, -(2**63), 2**64 - 1)
        if self.length_penalty is not None:
            check_range("length_penalty", self.length_penalty, -MOST_PENALTY, MOST_PENALTY)
        if self.num_beams is None:
            if self.length_penalty is not None:
                raise VitralError("option_needs", option="length_penalty", needed="num_beams")
            if sampling.temperature == 0:
                self._refuse("option_needs", "top_k", "top_p", "min_p", "seed")
            return
        if self.num_beams < 1:
            raise VitralError("option_invalid", option="num_beams", value=self.num_beams, least=1)
        check_range("num_beams", self.num_beams, 1, MOST_BEAMS)
        drawing = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "seed")
        self._refuse("options_clash", *drawing, "stop", "windowed")

    def _refuse(self, key: str, *options: str) -> None:
        for option in options:
            value = getattr(self, option)
            if value != getattr(type(self), option) and (option, value) != _NO_PENALTY:
                if key == "option_needs":
                    raise VitralError(key, option=option, needed="temperature > 0")
                raise VitralError(key, first="num_beams", second=option)

    @property
    def sampling(self) -> Sampling:
        """How a token is chosen."""
        penalty = 1.0 if self.repetition_penalty is None else self.repetition_penalty
        return Sampling(self.temperature, self.top_k, self.top_p, self.min_p, penalty)


_NO_PENALTY = ("repetition_penalty", 1)
