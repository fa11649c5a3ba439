"""`vitral.load` and `Model`: one object for a module, its tokenizer and what is known of them.

Everything that Vitral does with a model starts here:

    model = vitral.load("vitral-es-bert")  # a bundled name, a folder or a hub id
    model = vitral.load((module, tokenizer))  # a module of your own
    trace = model.trace("El gato duerme.")
    trace = vitral.load("path/to/a/ViT").trace("foto.png")  # of a model that reads pictures
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from vitral.errors import VitralError
from vitral.tracing.recording.reading import bare_tokens, read_text
from vitral.tracing.token import Token

if TYPE_CHECKING:
    import torch

    from vitral.generation.options import GenerationOptions
    from vitral.tracing.editing.edit import Edit
    from vitral.tracing.memory.forecast import Forecast
    from vitral.tracing.recording.inputs import Batch
    from vitral.tracing.trace import Trace


def load(source: Any) -> "Model":
    """Open a model: a bundled name, a folder's path, a hub id, a torch module, or a pair
    (module, tokenizer) or, of a model that reads pictures, (module, image processor).

    Raises VitralError `model_unknown`, `hub_unreachable`, `folder_without_config`,
    `weights_damaged`, `weights_pickled` and others of `vitral.models.load`; `processor_damaged`
    and `processor_needs` where a model's image processor cannot be opened.
    """
    import torch

    from vitral.models.description import reads
    from vitral.vision.processor import is_processor, open_processor

    if isinstance(source, Model):
        return source
    if isinstance(source, torch.nn.Module):
        return Model(source, None)
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], torch.nn.Module):
        module, beside = source
        if is_processor(beside):
            return Model(module, None, processor=beside)
        return Model(module, beside)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"a name, a folder, a module or (module, tokenizer), not {source!r}")
    from vitral.models.load import open_source

    opened = open_source(source)
    processor = None
    if reads(opened.module) == "picture" and opened.folder is not None:
        processor = open_processor(opened.folder)
    return Model(opened.module, opened.tokenizer, opened.name, processor)


class Model:
    """A module with its tokenizer. `name` is what it was opened as, else its class's name.

    `tokenizer` is a `tokenizers.Tokenizer`, one of transformers', or None. `architecture` is
    the Hugging Face class that the model is; `kind` one of "decoder", "encoder",
    "encoder-decoder" and "image"; `reads` is "text" or "picture", and `processor` what makes
    pictures into numbers, one of transformers' image processors, or None; `num_layers` and
    `num_heads` are the encoder's where there are two stacks; `context` is the most tokens that
    it takes, None if nothing limits them; `vocabulary_size` is how many entries it knows, None
    if nothing says so.
    """

    def __init__(
        self,
        module: "torch.nn.Module",
        tokenizer: Any = None,
        name: str | None = None,
        processor: Any = None,
    ) -> None:
        from vitral.models import description

        self.module = module
        self.tokenizer = tokenizer
        self.processor = processor
        self.name = name or type(module).__name__
        self.architecture = description.architecture(module)
        self.reads = description.reads(module)
        self.num_layers = (
            description.number(module, "num_layers", "num_hidden_layers", "encoder_layers") or 0
        )
        self.num_heads = (
            description.number(module, "num_heads", "num_attention_heads", "n_head") or 0
        )
        self.context = description.context(module)
        self.vocabulary_size = description.number(module, "vocab_size")
        self._pad_id = description.pad_id(module, tokenizer)

    @cached_property
    def kind(self) -> str:
        """One of "decoder", "encoder", "encoder-decoder" and "image": measured on first use where
        only the model itself tells (`vitral.models.looks_ahead`)."""
        from vitral.models.description import kind

        return kind(self.module)

    def __repr__(self) -> str:
        size = f"{self.num_layers} layers, {self.num_heads} heads"
        return f"<Model {self.name}: {self.architecture}, {self.kind}, {size}>"

    def tokens(self, text: str, *, special_tokens: bool = False) -> list[Token]:
        """The tokens of a text, each with its place in it.

        A text is a text: "<s>" in it is three characters, unless `special_tokens`; an encoder's
        mask is the mask in any case.

        Raises VitralError `text_empty`, `text_not_unicode`, `tokenizer_missing`,
        `text_to_picture_model`.
        """
        if self.reads == "picture":
            raise VitralError("text_to_picture_model", model=self.name)
        if self.tokenizer is None:
            raise VitralError("tokenizer_missing", model=self.name)
        return read_text(self.tokenizer, text, special_tokens=special_tokens)

    @overload
    def trace(
        self,
        text: str,
        second: str | None = None,
        *,
        decoder_text: str | None = None,
        decoder_ids: Any = None,
    ) -> "Trace": ...

    @overload
    def trace(
        self, *, texts: Sequence[str], decoder_text: str | None = None, decoder_ids: Any = None
    ) -> "list[Trace]": ...

    @overload
    def trace(self, picture: Any, /) -> "Trace": ...

    @overload
    def trace(self, **inputs: Any) -> Any: ...

    def trace(
        self,
        text: Any = None,
        second: str | None = None,
        *,
        texts: Sequence[str] | None = None,
        ids: Any = None,
        attention_mask: Any = None,
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        memory: int | str | None = None,
        special_tokens: bool = False,
        **inputs: Any,
    ) -> Any:
        """What the model computes for a text or a picture, kept in a `Trace`.

        Give one of: `text`; `texts`, which are run as one batch and give a list of traces, each
        the same as if it had been alone; `ids`, a list (one trace) or rows of them (a list of
        traces; `attention_mask` is 0 where there is padding, which is left out); or the model's
        own inputs by name, e.g. `**tokenizer(text, return_tensors="pt")` or `pixel_values` (one
        trace, or a list for more than one text or image). An
        encoder–decoder also reads `decoder_text` or `decoder_ids`, by default its start token.

        With a `second` text, both are read together, as the tokenizer puts pairs together; each
        token knows its `segment` (`vitral.tracing.recording.reading_pairs`).

        A model that reads pictures takes one in place of the text: a path, the bytes of a file,
        a PIL image, or an array [H, W, 3] of bytes or of floats from 0 to 1. Its tokens are
        named by row and column ("3,5", from 0), and `trace.surface` is the picture that the
        model saw; see `vitral.vision.picture_trace`.

        With `special_tokens`, the names of special tokens in the texts ("<s>") are those tokens.

        `memory` is how much of the trace may stay in memory ("2 GB"; default 128 MB); the rest
        goes to a temporary file. The cost of a long text is estimated (`forecast`), announced, and
        refused if it cannot fit.

        The module is left exactly as it was. Raises VitralError `text_empty`,
        `text_too_long` (texts are never truncated), `id_out_of_range`, `ids_unreadable`,
        `tokenizer_missing`, `processor_missing`, `picture_to_text_model`, `picture_missing` and
        the others of `vitral.vision.picture_file`, `not_traceable`, `not_finite` (NaN or infinity
        in the model, with the first address where it appears), `memory_short`,
        `memory_budget_short`, `disk_short`.
        """
        from vitral.vision.picture_file import is_picture
        from vitral.vision.picture_trace import trace_picture

        if second is not None and not (isinstance(text, str) and isinstance(second, str)):
            raise TypeError("a second text goes with a first one")
        if second is not None and self.reads == "picture":
            raise VitralError("text_to_picture_model", model=self.name)
        given = [each for each in (text, texts, ids) if each is not None]
        if len(given) + bool(inputs) != 1:
            raise TypeError("give one of text, texts, ids, or the model's own inputs by name")
        if attention_mask is not None and (text is not None or texts is not None):
            raise TypeError("a text needs no attention_mask; it goes with ids")
        if text is not None and (self.reads == "picture" or is_picture(text)):
            if decoder_text is not None or decoder_ids is not None:
                raise TypeError("a model that reads pictures has no decoder")
            if self.reads != "picture":
                raise VitralError("picture_to_text_model", model=self.name)
            return trace_picture(self.module, self.processor, text, model=self.name, memory=memory)
        if inputs:
            if decoder_text is not None or decoder_ids is not None:
                raise TypeError("among the model's own inputs, it is decoder_input_ids")
            return self._trace_inputs(inputs, attention_mask, memory)
        if ids is not None:
            return self._trace_ids(ids, attention_mask, decoder_text, decoder_ids, memory)
        from vitral.tracing.recording.inputs import pad

        if isinstance(texts, str):
            raise TypeError("texts is a list; give a single text as text")
        written = [text] if texts is None else list(texts)
        tokens = [
            self.tokens(each, special_tokens=special_tokens) for each in written if each is not None
        ]
        if not tokens:
            raise VitralError("text_empty")
        if second is not None:
            from vitral.tracing.recording.reading_pairs import BETWEEN, read_pair

            tokens = [read_pair(self.tokenizer, text, second, special_tokens=special_tokens)]
            written = [f"{text}{BETWEEN}{second}"]
        batch = pad([[token.id for token in row] for row in tokens], self._pad_id)
        self._check(batch)
        traces = self._run(batch, tokens, written, decoder_text, decoder_ids, memory)
        return traces[0] if texts is None else traces

    def forecast(
        self, text: str | None = None, *, ids: Any = None, memory: int | str | None = None
    ) -> "Forecast":
        """The memory and disk that tracing a text, or ids, would need; nothing is refused.

        `print(model.forecast(text).text())` says it in one line. The first tokens are run.
        """
        from vitral.tracing.memory.forecast import budget, foresee
        from vitral.tracing.recording.inputs import batch_of_ids, pad

        if (text is None) == (ids is None):
            raise TypeError("give one of text, ids")
        if text is not None:
            batch = pad([[token.id for token in self.tokens(text)]], self._pad_id)
        else:
            batch, _ = batch_of_ids(ids, None, self._pad_id)
        decoder, _ = self._decoder_side(len(batch.ids), None, None)
        return foresee(self.module, batch, decoder, budget(memory))

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
        equal texts are written on alike; without one, they differ.

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

    def evaluate(self, text: str, *, mask_share: float = 0.15, seed: int = 0) -> Any:
        """How well the model predicts `text`: a `NextTokenLoss` for a decoder, a `MaskedLoss` for
        an encoder (`vitral.training.evaluation` explains both).

        An encoder predicts `mask_share` of the tokens, chosen with `seed`. Raises VitralError
        `cannot_evaluate` for other models, `option_out_of_range`, and what `tokens` raises.
        """
        from vitral.training.evaluation import masked_loss_of, next_token_loss_of

        if self.tokenizer is None:
            raise VitralError("tokenizer_missing", model=self.name)
        if self.kind == "decoder":
            return next_token_loss_of(self.module, self.tokenizer, [text])
        if self.kind != "encoder" or not hasattr(self.tokenizer, "token_to_id"):
            raise VitralError("cannot_evaluate", model=self.name)
        if not 0 < mask_share < 1:
            raise VitralError("option_out_of_range", option="mask_share", value=mask_share, most=1)
        if not 0 <= seed < 2**63:
            raise VitralError("option_range", option="seed", value=seed, least=0, most=2**63 - 1)
        self.tokens(text)  # refuses what is no text
        return masked_loss_of(self.module, self.tokenizer, [text], share=mask_share, seed=seed)

    def edit(self) -> "Edit":
        """Edit the model: inside `with model.edit() as edit:` everything it computes is edited.

        See `vitral.tracing.editing.edit` for the edits. Afterwards the module is exactly
        as it was before. Raises VitralError `edit_open` if an edit of it is already open.
        """
        from vitral.tracing.editing.edit import Edit

        return Edit(self.module)

    def _options(self, options: dict[str, Any]) -> "GenerationOptions":
        from vitral.generation.options import GenerationOptions
        from vitral.generation.reading import can_write

        if not can_write(self.module):
            raise VitralError("cannot_write", model=self.name)
        return GenerationOptions(**options)

    def _trace_ids(
        self,
        ids: Any,
        attention_mask: Any,
        decoder_text: str | None,
        decoder_ids: Any,
        memory: int | str | None,
    ) -> "Trace | list[Trace]":
        from vitral.tracing.recording.inputs import batch_of_ids

        batch, single = batch_of_ids(ids, attention_mask, self._pad_id)
        self._check(batch)
        tokens = [bare_tokens(row, self.tokenizer) for row in batch.rows]
        traces = self._run(batch, tokens, [None] * len(tokens), decoder_text, decoder_ids, memory)
        return traces[0] if single else traces

    def _trace_inputs(
        self, inputs: dict[str, Any], mask: Any, memory: int | str | None
    ) -> "Trace | list[Trace]":
        from vitral.tracing.memory.forecast import budget
        from vitral.tracing.recording.inputs import pad
        from vitral.tracing.recording.named_inputs import read_named
        from vitral.tracing.recording.reading_pairs import with_types
        from vitral.tracing.recording.whole_inputs import traces_of_inputs

        inputs = inputs if mask is None else inputs | {"attention_mask": mask}
        read = None if self.reads == "picture" else read_named(inputs, self.module)
        if read is None:
            traces = traces_of_inputs(
                self.module, inputs, self.tokenizer, model=self.name, budget=budget(memory)
            )
        else:
            batch = pad(read.rows, self._pad_id)
            self._check(batch)
            tokens = [
                with_types(bare_tokens(row, self.tokenizer), each["token_type_ids"].tolist())
                if "token_type_ids" in each
                else bare_tokens(row, self.tokenizer)
                for row, each in zip(batch.rows, read.beside, strict=True)
            ]
            texts = [None] * len(tokens)
            traces = self._run(
                batch, tokens, texts, None, read.decoder_rows, memory, read.beside, read.same
            )
        return traces[0] if len(traces) == 1 else traces

    def _run(
        self,
        batch: "Batch",
        tokens: list[list[Token]],
        texts: Sequence[str | None],
        decoder_text: str | None,
        decoder_ids: Any,
        memory: int | str | None,
        beside: "Sequence[Mapping[str, torch.Tensor]] | None" = None,
        same: Mapping[str, Any] | None = None,
    ) -> "list[Trace]":
        from vitral.tracing.memory.forecast import budget, forewarn
        from vitral.tracing.recording.row_traces import Row, traces_of_rows

        decoder, decoder_tokens = self._decoder_side(len(tokens), decoder_text, decoder_ids)
        forewarn(self.module, batch, decoder, budget(memory))
        rows = [
            Row(
                tokens[index],
                None if decoder is None else decoder_tokens[index],
                texts[index],
                {} if beside is None else beside[index],
            )
            for index in range(len(tokens))
        ]
        return traces_of_rows(self.module, rows, model=self.name, budget=budget(memory), same=same)

    def _check(self, batch: "Batch", side: str = "encoder") -> None:
        """Raises VitralError for ids outside the vocabulary, and for more than the context."""
        from vitral.models.description import context
        from vitral.tracing.recording.inputs import check_ids

        check_ids(batch.rows, self.vocabulary_size)
        length = batch.ids.shape[1]
        most = self.context if side == "encoder" else context(self.module, side)
        if most is not None and length > most:
            raise VitralError("text_too_long", length=length, context=most, model=self.name)

    def arguments(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `module` is called with to read a text; raises what `trace` raises."""
        from vitral.tracing.recording.inputs import arguments, pad

        batch = pad([[token.id for token in self.tokens(text)]], self._pad_id)
        self._check(batch)
        decoder, _ = self._decoder_side(1, None, None)
        return arguments(self.module, batch, decoder)

    def _decoder_side(
        self, num_rows: int, text: str | None, ids: Any
    ) -> "tuple[Batch | None, list[list[Token]]]":
        """What the decoder of an encoder–decoder reads; (None, []) for other models."""
        from vitral.models.description import has_decoder, start_id
        from vitral.tracing.recording.inputs import batch_of_ids

        if not has_decoder(self.module):
            if text is not None or ids is not None:
                raise TypeError(f"{self.name} has no decoder of its own: it reads one text")
            return None, []
        if ids is not None:
            batch, single = batch_of_ids(ids, None, self._pad_id)
            self._check(batch, "decoder")
            given = batch.rows * num_rows if single else batch.rows
            rows = [bare_tokens(row, self.tokenizer) for row in given]
        else:
            rows = [bare_tokens([start_id(self.module, self.tokenizer)], self.tokenizer)]
            if text is not None:
                read = self.tokens(text)
                end = len(read) - (1 if read[-1].start is None else 0)  # the end token is not read
                rows = [[*rows[0], *read[:end]]]
            rows = rows * num_rows
        if len(rows) != num_rows:
            raise VitralError("ids_unreadable")
        batch, _ = batch_of_ids([[token.id for token in row] for row in rows], None, self._pad_id)
        self._check(batch, "decoder")
        return batch, rows
