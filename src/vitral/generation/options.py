"""The options of generation, in one place: `Model.generate`, `stream`, `trace_generation` and
`vitral generate` all take these options.

Some choose among tokens, others search for a whole text, and they do not mix. An option that
would change nothing is refused, so that no setting is silently ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vitral.errors import VitralError
from vitral.generation.sampling import Sampling


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

    Raises VitralError `option_needs` for an option that has no effect without another,
    `options_clash` for two that exclude one another, `option_invalid` or `option_out_of_range`
    for a number out of range.
    """

    max_new_tokens: int = 50
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: Sequence[str] = ()
    num_beams: int | None = None
    length_penalty: float | None = None
    windowed: bool = False

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise VitralError(
                "option_invalid", option="max_new_tokens", value=self.max_new_tokens, least=1
            )
        sampling = self.sampling  # its numbers are looked at first
        if self.num_beams is None:
            if self.length_penalty is not None:
                raise VitralError("option_needs", option="length_penalty", needed="num_beams")
            if sampling.temperature == 0:
                self._refuse("option_needs", "top_k", "top_p", "min_p", "seed")
            return
        if self.num_beams < 1:
            raise VitralError("option_invalid", option="num_beams", value=self.num_beams, least=1)
        drawing = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "seed")
        self._refuse("options_clash", *drawing, "stop", "windowed")

    def _refuse(self, key: str, *options: str) -> None:
        for option in options:
            if getattr(self, option) != getattr(type(self), option):
                if key == "option_needs":
                    raise VitralError(key, option=option, needed="temperature > 0")
                raise VitralError(key, first="num_beams", second=option)

    @property
    def sampling(self) -> Sampling:
        """How a token is chosen."""
        return Sampling(
            self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty
        )
