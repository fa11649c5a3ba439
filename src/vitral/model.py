"""`vitral.load` and `Model`: one object for a module, its tokenizer and what is known of them.

Everything that Vitral does with a model starts here:

    model = vitral.load("vitral-es-bert")  # a bundled name, a folder or a hub id
    model = vitral.load((module, tokenizer))  # a module of your own
    trace = model.trace("El gato duerme.")
    trace = vitral.load("path/to/a/ViT").trace("foto.png")  # of a model that reads pictures
"""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from vitral.errors import VitralError
from vitral.generation.writer import Writer
from vitral.tracing.recording.reading import read_text
from vitral.tracing.token import Token

if TYPE_CHECKING:
    import torch

    from vitral.exporting.gguf_file import Exported
    from vitral.models.adapters import Adapter
    from vitral.models.chat_template import ChatTemplate, Messages
    from vitral.tracing.editing.edit import Edit
    from vitral.tracing.memory.forecast import Forecast
    from vitral.tracing.trace import Trace


def load(source: Any, *, base: "str | os.PathLike[str] | None" = None) -> "Model":
    """Open a model: a bundled name, a folder's path, a hub id, a torch module, or a pair
    (module, tokenizer) or, of a model that reads pictures, (module, image processor).

    The folder of a PEFT adapter is opened on its base, which the adapter names, or which is at
    `base`; `model.without_adapter()` is the base alone.

    Raises VitralError `model_unknown`, `hub_unreachable`, `folder_without_config`,
    `weights_damaged`, `weights_pickled` and others of `vitral.models.load`; `processor_damaged`
    and `processor_needs` where a model's image processor cannot be opened;
    `adapter_base_unreachable` and others of `vitral.models.adapters`, `base_without_adapter`.
    """
    import torch

    from vitral.models.description import reads
    from vitral.vision.processor import is_processor, open_processor

    if base is not None and not isinstance(source, str | os.PathLike):
        raise VitralError("base_without_adapter", name=type(source).__name__)
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
    from vitral.models.adapters import open_any

    opened, adapter = open_any(source, base)
    processor = None
    if reads(opened.module) == "picture" and opened.folder is not None:
        processor = open_processor(opened.folder)
    model = Model(opened.module, opened.tokenizer, opened.name, processor, opened.chat_template)
    model.adapter = adapter
    return model


class Model(Writer):
    """A module with its tokenizer. `name` is what it was opened as, else its class's name.

    `tokenizer` is a `tokenizers.Tokenizer`, one of transformers', or None. `architecture` is
    the Hugging Face class that the model is; `kind` one of "decoder", "encoder",
    "encoder-decoder" and "image"; `reads` is "text" or "picture", and `processor` what makes
    pictures into numbers, one of transformers' image processors, or None; `num_layers` and
    `num_heads` are the encoder's where there are two stacks; `context` is the most tokens that
    it takes, None if nothing limits them; `vocabulary_size` is how many entries it knows, None
    if nothing says so; `chat_template` is the form of its conversations, or None;
    `adapter` says which PEFT adapter is in the weights, if any.
    """

    def __init__(
        self,
        module: "torch.nn.Module",
        tokenizer: Any = None,
        name: str | None = None,
        processor: Any = None,
        chat_template: "ChatTemplate | None" = None,
    ) -> None:
        from vitral.models import description
        from vitral.models.chat_template import template_of

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
        self.adapter: Adapter | None = None
        self.chat_template = chat_template or template_of(tokenizer)

    @cached_property
    def kind(self) -> str:
        """One of "decoder", "encoder", "encoder-decoder" and "image": measured on first use where
        only the model itself tells (`vitral.models.looks_ahead`)."""
        from vitral.models.description import kind

        return kind(self.module)

    def __repr__(self) -> str:
        size = f"{self.num_layers} layers, {self.num_heads} heads"
        return f"<Model {self.name}: {self.architecture}, {self.kind}, {size}>"

    def tokens(
        self, text: str, *, special_tokens: bool = False, add_special_tokens: bool = True
    ) -> list[Token]:
        """The tokens of a text, each with its place in it.

        "<s>" in a text is three characters, unless `special_tokens`; an encoder's mask is the
        mask in any case. Without `add_special_tokens`, the tokenizer adds none ("[CLS]", "<s>").

        Raises VitralError `text_empty`, `text_not_unicode`, `tokenizer_missing`,
        `text_to_picture_model`.
        """
        if self.reads == "picture":
            raise VitralError("text_to_picture_model", model=self.name)
        if self.tokenizer is None:
            raise VitralError("tokenizer_missing", model=self.name)
        return read_text(
            self.tokenizer,
            text,
            special_tokens=special_tokens,
            add_special_tokens=add_special_tokens,
        )

    @overload
    def trace(
        self,
        text: str,
        second: str | None = None,
        *,
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        memory: int | str | None = None,
        record: "str | Sequence[str] | None" = None,
        special_tokens: bool = False,
        add_special_tokens: bool = True,
    ) -> "Trace": ...

    @overload
    def trace(
        self,
        *,
        texts: Sequence[str],
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        memory: int | str | None = None,
        record: "str | Sequence[str] | None" = None,
        special_tokens: bool = False,
        add_special_tokens: bool = True,
    ) -> "list[Trace]": ...

    @overload
    def trace(
        self,
        *,
        messages: "Messages",
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        memory: int | str | None = None,
        record: "str | Sequence[str] | None" = None,
    ) -> "Trace": ...

    @overload
    def trace(self, picture: Any, /, *, memory: int | str | None = None) -> "Trace": ...

    @overload
    def trace(self, **inputs: Any) -> Any: ...

    def trace(
        self,
        text: Any = None,
        second: str | None = None,
        *,
        texts: Sequence[str] | None = None,
        messages: "Messages | None" = None,
        ids: Any = None,
        attention_mask: Any = None,
        decoder_text: str | None = None,
        decoder_ids: Any = None,
        memory: int | str | None = None,
        record: "str | Sequence[str] | None" = None,
        special_tokens: bool = False,
        add_special_tokens: bool = True,
        **inputs: Any,
    ) -> Any:
        """What the model computes for a text or a picture, kept in a `Trace`.

        Give one of: `text`; `texts`, which are run as one batch and give a list of traces, each
        the same as if it had been alone; `messages`, a conversation (see `conversation`); `ids`,
        a list (one trace) or rows of them (a list of traces; `attention_mask` is 0 where there is
        padding, which is left out); or the model's own inputs by name, e.g.
        `**tokenizer(text, return_tensors="pt")` or `pixel_values` (one trace, or a list for more
        than one text or image). An encoder–decoder also reads `decoder_text` or `decoder_ids`, by
        default its start token.

        With a `second` text, both are read together, as the tokenizer puts pairs together; each
        token knows its `segment` (`vitral.tracing.recording.reading_pairs`).

        A model that reads pictures takes one in place of the text: a path, the bytes of a file,
        a PIL image, or an array [H, W, 3] of bytes or of floats from 0 to 1. Its tokens are
        named by row and column ("3,5", from 0), and `trace.surface` is the picture that the
        model saw; see `vitral.vision.picture_trace`.

        With `special_tokens`, the names of special tokens in the texts ("<s>") are those tokens;
        without `add_special_tokens`, the tokenizer adds none to them ("[CLS]", "[SEP]").

        `memory` is how much of the trace may stay in memory ("2 GB"; default 128 MB); the rest
        goes to a temporary file. The cost of a long text is estimated (`forecast`), announced, and
        refused if it cannot fit.

        With `record`, only the values at those addresses are kept, and memory is needed for no
        others: `record=["layers.3.mlp.out", "layers.*.attention.pattern"]`. `layers.N.mlp.neurons`
        are kept only if they are asked for; "*" is everything and they. What was not chosen is
        `not_recorded`, and such a trace cannot be saved.

        The module is left exactly as it was. Raises VitralError `text_empty`,
        `text_too_long` (texts are never truncated), `id_out_of_range`, `ids_unreadable`,
        `tokenizer_missing`, `processor_missing`, `picture_to_text_model`, `picture_missing` and
        the others of `vitral.vision.picture_file`, `not_traceable`, `not_finite` (NaN or infinity
        in the model, with the first address where it appears), `memory_short`,
        `memory_budget_short`, `disk_short`.
        """
        from vitral.tracing.recording import model_inputs
        from vitral.tracing.recording.selection import Selection
        from vitral.vision.picture_file import is_picture
        from vitral.vision.picture_trace import trace_picture

        selection = Selection.of(record)
        if second is not None and not (isinstance(text, str) and isinstance(second, str)):
            raise TypeError("a second text goes with a first one")
        if second is not None and not add_special_tokens:
            raise TypeError("two texts are put together by the tokenizer's special tokens")
        if second is not None and self.reads == "picture":
            raise VitralError("text_to_picture_model", model=self.name)
        given = [each for each in (text, texts, messages, ids) if each is not None]
        if len(given) + bool(inputs) != 1:
            raise TypeError(
                "give one of text, texts, messages, ids, or the model's own inputs by name"
            )
        if messages is not None:
            if special_tokens or not add_special_tokens or attention_mask is not None:
                raise TypeError("a conversation's text is read as its template writes it")
            return self.trace(
                self.conversation(messages),
                decoder_text=decoder_text,
                decoder_ids=decoder_ids,
                memory=memory,
                record=record,
                special_tokens=True,
                add_special_tokens=False,
            )
        if attention_mask is not None and (text is not None or texts is not None):
            raise TypeError("a text needs no attention_mask; it goes with ids")
        of_picture = text is not None and (self.reads == "picture" or is_picture(text))
        if (special_tokens or not add_special_tokens) and (
            of_picture or (text is None and texts is None)
        ):
            raise TypeError("special_tokens and add_special_tokens go with text or texts")
        if of_picture:
            if decoder_text is not None or decoder_ids is not None:
                raise TypeError("a model that reads pictures has no decoder")
            if self.reads != "picture":
                raise VitralError("picture_to_text_model", model=self.name)
            if record is not None:
                raise TypeError(
                    "record goes with texts, ids and inputs by name, not with a picture"
                )
            return trace_picture(self.module, self.processor, text, model=self.name, memory=memory)
        if inputs:
            if decoder_text is not None or decoder_ids is not None:
                raise TypeError("among the model's own inputs, it is decoder_input_ids")
            return model_inputs.trace_inputs(self, inputs, attention_mask, memory, selection)
        beside = decoder_text, decoder_ids, memory, selection
        if ids is not None:
            return model_inputs.trace_ids(self, ids, attention_mask, *beside)
        if isinstance(texts, str):
            raise TypeError("texts is a list; give a single text as text")
        written = [text] if texts is None else list(texts)
        if not written:
            raise VitralError("text_empty")
        if second is not None:
            return model_inputs.trace_pair(
                self, text, second, *beside, special_tokens=special_tokens
            )
        tokens = [
            self.tokens(each, special_tokens=special_tokens, add_special_tokens=add_special_tokens)
            for each in written
        ]
        traces = model_inputs.trace_texts(self, written, tokens, *beside)
        return traces[0] if texts is None else traces

    def forecast(
        self, text: str | None = None, *, ids: Any = None, memory: int | str | None = None
    ) -> "Forecast":
        """The memory and disk that tracing a text, or ids, would need; nothing is refused.

        `print(model.forecast(text).text())` says it in one line. The first tokens are run.
        """
        from vitral.tracing.recording.model_inputs import forecast_of

        if (text is None) == (ids is None):
            raise TypeError("give one of text, ids")
        return forecast_of(self, text, ids, memory)

    def arguments(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `module` is called with to read a text; raises what `trace` raises."""
        from vitral.tracing.recording.model_inputs import arguments_of

        return arguments_of(self, text)

    def evaluate(self, text: str, *, mask_share: float = 0.15, seed: int = 0) -> Any:
        """How well the model predicts `text`: a `NextTokenLoss` for a decoder, a `MaskedLoss` for
        an encoder (`vitral.training.evaluation` explains both).

        An encoder predicts `mask_share` of the tokens, chosen with `seed`. Raises VitralError
        `cannot_evaluate` for other models, `option_out_of_range`, and what `tokens` raises.
        """
        from vitral.training.evaluation import loss_of

        return loss_of(self, text, mask_share=mask_share, seed=seed)

    def without_adapter(self) -> "Model":
        """The base of a model that was opened from an adapter's folder, read anew.

        Its traces and this model's are of the same tokens, so that `vitral.difference` is what
        the adapter changes. Raises VitralError `no_adapter`, and what `load` raises.
        """
        from vitral.models.adapters import open_base

        if self.adapter is None:
            raise VitralError("no_adapter", model=self.name)
        opened = open_base(self.adapter, self.adapter.base.name)
        return Model(
            opened.module, self.tokenizer, opened.name, self.processor, opened.chat_template
        )

    def export(
        self, path: str | os.PathLike[str], *, to: str = "gguf", precision: str = "f16"
    ) -> "Exported":
        """Write the model and its tokenizer as one file for another program; a file of that name
        is replaced when the new one is whole.

        `precision` is one of "f32", "f16", "bf16", "q8_0". Raises VitralError `export_format`,
        `precision_unknown`, `gguf_needed`, and, where GGUF cannot hold the model,
        `gguf_no_architecture`, `gguf_cannot_hold`, `gguf_tokenizer`, `gguf_too_large_for_f16`.
        """
        from vitral.exporting.formats import check
        from vitral.exporting.gguf_file import export_gguf

        check(to, precision)
        return export_gguf(
            self.module,
            self.tokenizer,
            Path(path),
            name=self.name,
            precision=precision,
            chat_template=None if self.chat_template is None else self.chat_template.source,
        )

    def edit(self) -> "Edit":
        """Edit the model: inside `with model.edit() as edit:` everything it computes is edited.

        See `vitral.tracing.editing.edit` for the edits. Afterwards the module is exactly
        as it was before. Raises VitralError `edit_open` if an edit of it is already open.
        """
        from vitral.tracing.editing.edit import Edit

        return Edit(self.module)
