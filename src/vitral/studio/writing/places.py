"""A place in a text as the page knows it, and what a model makes of it. All in a thread."""

from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError
from vitral.studio.blocks import encode_block
from vitral.studio.session import Session
from vitral.studio.writing import schemas
from vitral.studio.writing.sessions import Beginning

if TYPE_CHECKING:
    from torch import Tensor

    from vitral.generation.stepping import Look, Stepping
    from vitral.model import Model


def stepping_of(
    session: Session, model: "Model", place: schemas.Place, **options: Any
) -> "Stepping":
    """A session of its own at the beginning of `place`. Raises what `Stepping` raises, and
    text_over_tokens, id_out_of_range."""
    from vitral.generation.stepping import Stepping
    from vitral.models.description import number
    from vitral.tracing.inputs import check_ids

    if model.tokenizer is not None:
        length = len(model.tokens(place.text)) + len(place.written)
        if length > session.limits.tokens:
            raise VitralError("text_over_tokens", length=length, limit=session.limits.tokens)
    check_ids([place.written], number(model.module, "vocab_size"))
    return Stepping(model.module, model.tokenizer, place.text, windowed=place.windowed, **options)


def beginning_of(place: schemas.Place) -> Beginning:
    return Beginning(place.model, place.text, place.windowed)


def pieces_of(
    model: "Model", stepping: "Stepping", place: schemas.Place
) -> tuple[list[schemas.PieceOfText], list[schemas.PieceOfText]]:
    """The tokens of the beginning and those written; their pieces together are the text."""
    prompt, cursor = [], 0
    for index, token in enumerate(stepping.prompt):
        after = stepping.prompt[index + 1] if index + 1 < len(stepping.prompt) else None
        last = index + 1 == len(stepping.prompt)
        shared = after is not None and token.end is not None and after.start is not None
        whole = token.end is not None and not (
            shared and after is not None and after.end == token.end
        )
        end = len(place.text) if last else (token.end or cursor) if whole else cursor
        prompt.append(piece(model, token.id, place.text[cursor:end]))
        cursor = end
    ids = [token.id for token in stepping.prompt]
    return prompt, written_pieces(model, ids, place.written)


def written_pieces(model: "Model", ids: list[int], written: list[int]) -> list[schemas.PieceOfText]:
    """What each of `written` adds to the text of `ids`."""
    from vitral.generation.spelling import gained

    found = []
    for token in written:
        found.append(piece(model, token, gained(model.tokenizer, ids[-8:], token)))
        ids = [*ids[-8:], token]
    return found


def piece(model: "Model", token: int, text: str) -> schemas.PieceOfText:
    """A token, named where it is no text of its own."""
    from vitral.generation.spelling import raw_bytes
    from vitral.tracing.reading import bare_tokens

    bare = bare_tokens([token], model.tokenizer)[0]
    name = bare.text if bare.special else raw_bytes(model.tokenizer, token)
    return schemas.PieceOfText(id=token, piece=text, name=name)


def row_of(look: "Look", layer: int | None, head: int | None) -> "Tensor | None":
    """Weights [T] of the newest token: a head's, or the mean of a layer's or of all.

    Raises VitralError layer_out_of_range, head_out_of_range.
    """
    import torch

    if look.attention is None:
        return None
    if layer is not None and layer >= len(look.attention):
        raise VitralError("layer_out_of_range", layer=layer, num_layers=len(look.attention))
    layers = look.attention if layer is None else [look.attention[layer]]
    if head is not None:
        if head >= len(layers[0]):
            raise VitralError("head_out_of_range", head=head, num_heads=len(layers[0]))
        layers = [each[head : head + 1] for each in layers]
    return torch.stack([each.mean(0) for each in layers]).mean(0)


def look_block(session: Session, asked: schemas.LookRequest) -> bytes:
    """float32 [V + T]: the logits of the next token, then the weights of the newest one."""
    import numpy as np

    with session.shelf.borrow(asked.model) as model:
        check_kind(model)
        with session.writings.borrow(
            beginning_of(asked), asked.written, lambda: stepping_of(session, model, asked)
        ) as stepping:
            check_length(session, stepping, asked)
            ended = stepping.ended(asked.written)
            logits = row = np.zeros(0, dtype=np.float32)
            num_layers, has_attention = 0, False
            if ended is None:
                look = stepping.look(asked.written)
                weights = row_of(look, asked.layer, asked.head)
                logits = look.logits.cpu().numpy()
                if weights is not None and look.attention is not None:
                    row, has_attention = weights.cpu().numpy(), True
                    num_layers = len(look.attention)
            prompt, written = pieces_of(model, stepping, asked)
            return encode_block(
                np.concatenate([logits, row]),
                aggregated=False,
                vocabulary=len(logits),
                prompt=[each.model_dump() for each in prompt],
                written=[each.model_dump() for each in written],
                start=stepping.start(asked.written),
                context=stepping.context,
                cache_bytes=stepping.num_bytes,
                ended=ended,
                num_layers=num_layers,
                num_heads=model.num_heads if has_attention else 0,
                layer=asked.layer,
                head=asked.head,
            )


def check_kind(model: "Model") -> None:
    """Raises VitralError cannot_write, cannot_step, tokenizer_missing."""
    from vitral.generation.reading import can_write

    if not can_write(model.module):
        raise VitralError("cannot_write", model=model.name)
    if model.kind == "encoder-decoder":
        raise VitralError("cannot_step", model=model.name)
    if model.tokenizer is None:
        raise VitralError("tokenizer_missing", model=model.name)


def check_length(session: Session, stepping: "Stepping", place: schemas.Place) -> None:
    """Raises VitralError text_over_tokens, and text_too_long for more than the context holds."""
    length = len(stepping.prompt) + len(place.written)
    if length > session.limits.tokens:
        raise VitralError("text_over_tokens", length=length, limit=session.limits.tokens)
    size = stepping.context
    if size is not None and length > size and not place.windowed:
        raise VitralError("text_too_long", length=length, context=size, model=place.model)


def vocabulary_of(session: Session, name: str) -> schemas.Vocabulary:
    """What every token of a model is called."""
    from vitral.generation.spelling import raw_bytes
    from vitral.models.description import number
    from vitral.tracing.reading import bare_tokens

    with session.shelf.borrow(name) as model:
        check_kind(model)
        size = number(model.module, "vocab_size") or 0
        tokens = bare_tokens(list(range(size)), model.tokenizer)
        named = ((token.id, raw_bytes(model.tokenizer, token.id)) for token in tokens)
        return schemas.Vocabulary(
            texts=[token.text for token in tokens],
            special=[token.id for token in tokens if token.special],
            parts={number: name for number, name in named if name is not None},
        )
