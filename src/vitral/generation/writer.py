"""What a model writes: text, texts side by side, conversations, and the trace of it.

The base of `vitral.Model`, beside what it reads and what is traced.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from vitral.errors import VitralError

if TYPE_CHECKING:
    from torch import nn

    from vitral.generation.options import GenerationOptions
    from vitral.models.chat_template import ChatTemplate, Messages
    from vitral.tracing.trace import Trace

CONVERSATION = {"special_tokens": True, "add_special_tokens": False}
"""How the text of a conversation is read."""


class Writer:
    """Writes with `module` and its `tokenizer`; `chat_template` is the form of its conversations,
    or None."""

    module: "nn.Module"
    tokenizer: Any
    name: str
    chat_template: "ChatTemplate | None"

    @overload
    def generate(self, text: str, **options: Any) -> str: ...

    @overload
    def generate(self, text: Sequence[str], **options: Any) -> list[str]: ...

    def generate(self, text: str | Sequence[str], **options: Any) -> str | list[str]:
        """`text`, continued by a decoder, or an encoder–decoder's answer to it; for several
        texts a list, each as if it were alone.

        `options` are those of `vitral.generation.options.GenerationOptions`: max_new_tokens,
        temperature, top_k, top_p, min_p, repetition_penalty, seed, stop, num_beams,
        length_penalty, windowed, special_tokens. Every text draws with the same `seed`, so that
        equal texts are continued in the same way; without one, they differ.

        Raises VitralError `cannot_write` for a model that is not made to write,
        `option_needs` and `options_clash` for options that have no effect or exclude one another,
        `option_invalid`, `option_out_of_range`, `text_too_long`, and what `tokens` raises.
        """
        chosen = self._options(options)
        from vitral.generation.writing import write

        texts = [text] if isinstance(text, str) else list(text)
        if not texts:
            raise VitralError("text_empty")
        written = write(self.module, self.tokenizer, texts, chosen)
        return written[0] if isinstance(text, str) else written

    def stream(self, text: str, **options: Any) -> Iterator[str]:
        """What `generate` writes, piece by piece as it comes; no piece splits a character.
        Beams have no pieces: `options_clash`."""
        chosen = self._options(options)
        if chosen.num_beams is not None:
            raise VitralError("options_clash", first="stream", second="num_beams")
        from vitral.generation.writing import pieces

        return pieces(self.module, self.tokenizer, text, chosen)

    def trace_generation(self, text: str, **options: Any) -> "Trace":
        """What the model computes while it continues `text`, one row per new token.

        The trace is the one that a single forward pass over the finished text would leave; for
        an encoder–decoder, `tokens` are the input text and `decoder_tokens` the answer.
        Options and errors as in `generate`; `stop`, `windowed` and `num_beams` are refused.
        """
        chosen = self._options(options)
        from vitral.generation.writing import write_traced

        return write_traced(self.module, self.tokenizer, text, chosen, name=self.name)

    def chat(self, messages: "Messages", **options: Any) -> str:
        """The model's answer to a conversation, without the conversation.

        `messages` are {"role": "user", "content": "…"}, one after the other, or one text of the
        user's. Options and errors as in `generate`, and those of `conversation`.
        """
        from vitral.models.description import has_decoder

        text = self.conversation(messages)
        written = self.generate(text, **CONVERSATION | options)
        return written if has_decoder(self.module) else written.removeprefix(text)

    def conversation(self, messages: "Messages") -> str:
        """The text that a conversation is to the model: what its folder's chat template makes of
        it. It is read with `special_tokens=True, add_special_tokens=False`, for the template
        writes all special tokens by name.

        Raises VitralError `chat_no_template`, `messages_wrong`, `chat_template_refuses`.
        """
        if self.chat_template is None:
            raise VitralError("chat_no_template", model=self.name)
        return self.chat_template.render(messages, self.name)

    def _options(self, options: dict[str, Any]) -> "GenerationOptions":
        from vitral.generation.options import GenerationOptions
        from vitral.generation.reading import can_write

        if not can_write(self.module):
            raise VitralError("cannot_write", model=self.name)
        return GenerationOptions(**options)
