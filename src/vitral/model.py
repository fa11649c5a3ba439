"""`vitral.load` and `Model`: one object for a module, its tokenizer and what is known of them.

model = vitral.load("vitral-es-bert")          # bundled name, folder or hub id
model = vitral.load((module, tokenizer))       # what you have in hand
trace = model.trace("El gato duerme.")
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError
from vitral.tracing.reading import bare_tokens, read_text
from vitral.tracing.token import Token

if TYPE_CHECKING:
    import torch

    from vitral.tracing.inputs import Batch
    from vitral.tracing.trace import Trace

# Models whose first positions are kept for padding: config says 514, text has room for 512.
_POSITIONS_AFTER_PADDING = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "data2vec-text"}
)


def load(source: Any) -> "Model":
    """Open a model: a bundled name, a folder's path, a hub id, a torch module, or a pair
    (module, tokenizer).

    Raises VitralError `model_unknown`, `hub_unreachable`, `folder_without_config`,
    `weights_damaged`, `weights_pickled` and others of `vitral.models.load`.
    """
    import torch

    if isinstance(source, Model):
        return source
    if isinstance(source, torch.nn.Module):
        return Model(source, None)
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], torch.nn.Module):
        return Model(source[0], source[1])
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"a name, a folder, a module or (module, tokenizer), not {source!r}")
    from vitral.models.load import open_source

    opened = open_source(source)
    return Model(opened.module, opened.tokenizer, opened.name)


class Model:
    """A module with its tokenizer. `name` is what it was opened as, else its class's name."""

    def __init__(
        self, module: "torch.nn.Module", tokenizer: Any = None, name: str | None = None
    ) -> None:
        self.module = module
        self.tokenizer = tokenizer
        self.name = name or type(module).__name__

    def __repr__(self) -> str:
        size = f"{self.num_layers} layers, {self.num_heads} heads"
        return f"<Model {self.name}: {self.architecture}, {self.kind}, {size}>"

    @property
    def architecture(self) -> str:
        """The Hugging Face class that this model is, or its own class."""
        ours = getattr(self._config, "architecture", None)
        return ours if isinstance(ours, str) else type(self.module).__name__

    @property
    def kind(self) -> str:
        """ "decoder", "encoder", "encoder-decoder" or "image"."""
        ours = getattr(self._config, "kind", None)
        if isinstance(ours, str):
            return ours
        if getattr(self._config, "is_encoder_decoder", False):
            return "encoder-decoder"
        if getattr(self.module, "main_input_name", "input_ids") == "pixel_values":
            return "image"
        causal = any(getattr(part, "is_causal", False) is True for part in self.module.modules())
        return "decoder" if causal else "encoder"

    @property
    def num_layers(self) -> int:
        """Layers (of the encoder, in an encoder–decoder)."""
        return int(self._number("num_layers", "num_hidden_layers", "encoder_layers") or 0)

    @property
    def num_heads(self) -> int:
        """Query heads in a layer (of the encoder, in an encoder–decoder)."""
        return int(self._number("num_heads", "num_attention_heads", "encoder_attention_heads") or 0)

    @property
    def context(self) -> int | None:
        """The most tokens that the model takes; None if nothing limits them."""
        if self.kind == "image" or getattr(self._config, "model_type", None) == "t5":
            return None
        size = self._number("context", "max_position_embeddings", "n_positions")
        if size is None:
            return None
        if getattr(self._config, "model_type", None) in _POSITIONS_AFTER_PADDING:
            return size - 1 - int(getattr(self._config, "pad_token_id", None) or 0)
        return size

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text, each with its place in it.

        Raises VitralError `text_empty`, `text_not_unicode`, `tokenizer_missing`.
        """
        if self.tokenizer is None:
            raise VitralError("tokenizer_missing", model=self.name)
        return read_text(self.tokenizer, text)

    def trace(
        self,
        text: str | None = None,
        *,
        texts: Sequence[str] | None = None,
        ids: Any = None,
        attention_mask: Any = None,
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        **inputs: Any,
    ) -> Any:
        """What the model computes for a text, kept in a `Trace`.

        Give one of: `text`; `texts`, which are run as one batch and give a list of traces, each
        the same as if it had been alone; `ids`, a list (one trace) or rows of them (a list of
        traces; `attention_mask` is 0 where a row is padding); or the model's own inputs by
        name, e.g. `pixel_values`. Encoder–decoders also read `decoder_text` or `decoder_ids`,
        by default just their start token.

        Raises VitralError `text_empty`, `text_too_long`, `id_out_of_range`,
        `not_traceable`, `tokenizer_missing`. Nothing is ever cut to fit.
        """
        given = [each for each in (text, texts, ids) if each is not None]
        if len(given) + bool(inputs) != 1:
            raise TypeError("give one of text, texts, ids, or the model's own inputs by name")
        if text is not None:
            return self._trace_tokens([self.tokens(text)], [text], decoder_text, decoder_ids)[0]
        if texts is not None:
            tokens = [self.tokens(each) for each in texts]
            return self._trace_tokens(tokens, list(texts), decoder_text, decoder_ids)
        if ids is not None:
            return self._trace_ids(ids, attention_mask, decoder_text, decoder_ids)
        return self._trace_inputs(inputs, attention_mask)

    def generate(self, text: str, **options: Any) -> Any:
        """Write on from `text`; see `vitral.generation`."""
        from vitral import generation

        return generation.generate(self, text, **options)  # type: ignore[attr-defined]

    def _trace_tokens(
        self,
        tokens: list[list[Token]],
        texts: list[str],
        decoder_text: str | None,
        decoder_ids: Any,
    ) -> "list[Trace]":
        from vitral.tracing.inputs import pad

        batch = pad([[token.id for token in row] for row in tokens], self._pad_id)
        return self._run(batch, tokens, texts, decoder_text, decoder_ids)

    def _trace_ids(
        self, ids: Any, attention_mask: Any, decoder_text: str | None, decoder_ids: Any
    ) -> "Trace | list[Trace]":
        from vitral.tracing.inputs import batch_of_ids

        batch, single = batch_of_ids(ids, attention_mask, self._pad_id)
        tokens = [bare_tokens(row, self.tokenizer) for row in batch.rows]
        traces = self._run(batch, tokens, [None] * len(tokens), decoder_text, decoder_ids)
        return traces[0] if single else traces

    def _run(
        self,
        batch: "Batch",
        tokens: list[list[Token]],
        texts: Sequence[str | None],
        decoder_text: str | None,
        decoder_ids: Any,
    ) -> "list[Trace]":
        from vitral.tracing.inputs import arguments, check_ids
        from vitral.tracing.recording import record

        check_ids(batch.ids.tolist(), self._vocabulary_size)
        length = batch.ids.shape[1]
        if self.context is not None and length > self.context:
            raise VitralError("text_too_long", length=length, context=self.context, model=self.name)
        decoder, decoder_tokens = self._decoder_side(len(tokens), decoder_text, decoder_ids)
        args, named = arguments(self.module, batch, decoder)
        recording = record(self.module, args, named)
        return [
            recording.trace(
                index,
                model=self.name,
                text=texts[index],
                tokens=tokens[index],
                decoder_tokens=[] if decoder is None else decoder_tokens[index],
                span=batch.spans[index],
                decoder_span=None if decoder is None else decoder.spans[index],
            )
            for index in range(len(tokens))
        ]

    def _decoder_side(
        self, num_rows: int, text: str | None, ids: Any
    ) -> "tuple[Batch | None, list[list[Token]]]":
        """What the decoder of an encoder–decoder reads; (None, []) for other models."""
        from vitral.tracing.inputs import batch_of_ids, check_ids

        if self.kind != "encoder-decoder":
            if text is not None or ids is not None:
                raise TypeError(f"{self.name} has no decoder of its own: it reads one text")
            return None, []
        start = getattr(self._config, "decoder_start_token_id", None)
        start = self._pad_id if start is None else start
        rows = [bare_tokens([start], self.tokenizer)] * num_rows
        if text is not None:
            read = self.tokens(text)
            end = len(read) - (1 if read[-1].start is None else 0)  # the end mark is not read
            rows = [[*row, *read[:end]] for row in rows]
        if ids is not None:
            batch, single = batch_of_ids(ids, None, self._pad_id)
            given = batch.rows * num_rows if single else batch.rows
            rows = [bare_tokens(row, self.tokenizer) for row in given]
        if len(rows) != num_rows:
            raise VitralError("ids_unreadable")
        batch, _ = batch_of_ids([[token.id for token in row] for row in rows], None, self._pad_id)
        check_ids(batch.rows, self._vocabulary_size)
        return batch, rows

    def _trace_inputs(self, inputs: dict[str, Any], mask: Any) -> "Trace | list[Trace]":
        from vitral.tracing.recording import record

        if mask is not None:
            inputs["attention_mask"] = mask
        recording = record(self.module, (), inputs)
        traces = []
        for index in range(recording.num_sequences):
            trace = recording.trace(index, model=self.name, text=None, tokens=[], decoder_tokens=[])
            sides = [trace.attention(0, 0, part).shape[0] for part in trace.parts]
            trace.tokens = bare_tokens(list(range(sides[0])))
            if len(sides) > 1:
                trace.decoder_tokens = bare_tokens(list(range(sides[1])))
            traces.append(trace)
        return traces[0] if len(traces) == 1 else traces

    @property
    def _pad_id(self) -> int:
        found = getattr(self._config, "pad_token_id", None)
        if found is None and self.tokenizer is not None and hasattr(self.tokenizer, "token_to_id"):
            found = next(
                filter(None, map(self.tokenizer.token_to_id, ("[PAD]", "<pad>", "<|pad|>"))), None
            )
        return int(found) if isinstance(found, int) and found >= 0 else 0

    @property
    def _vocabulary_size(self) -> int | None:
        return self._number("vocab_size")

    @property
    def _config(self) -> Any:
        config = getattr(self.module, "config", None)
        reader = getattr(config, "get_text_config", None)
        return config if reader is None or self._has_own_sizes(config) else reader()

    @staticmethod
    def _has_own_sizes(config: Any) -> bool:
        return getattr(config, "num_hidden_layers", None) is not None

    def _number(self, *names: str) -> int | None:
        found = (getattr(self._config, name, None) for name in names)
        return next((each for each in found if isinstance(each, int)), None)
