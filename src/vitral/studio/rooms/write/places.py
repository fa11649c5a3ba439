"""A position in a text that is being written, and the model's prediction there. All in a thread."""

from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError
from vitral.studio.rooms.write import schemas
from vitral.studio.rooms.write.sessions import Beginning, WritingSessions
from vitral.studio.session import Session
from vitral.studio.traces.answer import check_read
from vitral.studio.traces.blocks import encode_block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vitral.generation.stepping import Stepping
    from vitral.model import Model
    from vitral.tracing.token import Token


def stepping_of(
    session: Session, model: "Model", place: schemas.WritingPlace, **options: Any
) -> "Stepping":
    """A session of its own at the beginning of `place`. Raises what `Stepping`, `check_read` and
    `Model.conversation` raise, and text_over_tokens, id_out_of_range."""
    from vitral.generation.stepping import Stepping
    from vitral.models.description import number
    from vitral.tracing.recording.inputs import check_ids

    if model.tokenizer is not None:
        text, marks = read_as(model, place)
        num_read = len(model.tokens(text, **marks))
        length = num_read + len(place.written)
        if length > session.limits.tokens:
            raise VitralError("text_over_tokens", length=length, limit=session.limits.tokens)
        if model.kind == "encoder-decoder":
            check_read(model, num_read)
    check_ids([place.written], number(model.module, "vocab_size"))
    text, marks = read_as(model, place)
    return Stepping(
        model.module, model.tokenizer, text, windowed=place.windowed, **marks, **options
    )


def read_as(model: "Model", place: schemas.WritingPlace) -> tuple[str, dict[str, bool]]:
    """The text that the model reads of a place, and how its special tokens are read."""
    from vitral.generation.writer import CONVERSATION

    return (model.conversation(place.text), CONVERSATION) if place.chat else (place.text, {})


def beginning_of(place: schemas.WritingPlace) -> Beginning:
    return Beginning(place.model, place.text, place.windowed, place.chat)


def pieces_of(model: "Model", tokens: "list[Token]", text: str) -> list[schemas.PieceOfText]:
    """The tokens of `text`; their pieces together are the text."""
    found, cursor = [], 0
    last = max((index for index, token in enumerate(tokens) if token.end is not None), default=0)
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        shared = after is not None and token.end is not None and after.start is not None
        whole = token.end is not None and not (
            shared and after is not None and after.end == token.end
        )
        end = len(text) if index == last else (token.end or cursor) if whole else cursor
        found.append(piece(model, token.id, text[cursor:end]))
        cursor = end
    return found


def written_pieces(model: "Model", ids: list[int], written: list[int]) -> list[schemas.PieceOfText]:
    """What each of `written` adds to the text of `ids`."""
    from vitral.generation.spelling import gained

    found = []
    for token in written:
        found.append(piece(model, token, gained(model.tokenizer, ids[-8:], token)))
        ids = [*ids[-8:], token]
    return found


def piece(model: "Model", token: int, text: str) -> schemas.PieceOfText:
    """A token, with a name if it is not text."""
    from vitral.text.raw_bytes import raw_bytes
    from vitral.tracing.recording.reading import bare_tokens

    bare = bare_tokens([token], model.tokenizer)[0]
    name = bare.text if bare.special else raw_bytes(model.tokenizer, token)
    return schemas.PieceOfText(id=token, piece=text, name=name)


def row_of(
    model: str, layers: "dict[int, Tensor] | None", layer: int | None, head: int | None
) -> "NDArray[np.float32]":
    """One head's weights, or the mean of several, from the most recent token's weights [H, T] by
    layer: float32 [T], empty if there are none.

    Raises VitralError layer_out_of_range, layer_without_attention, head_out_of_range.
    """
    import numpy as np
    import torch

    from vitral.tracing.parts import without_attention

    if layers is None:
        return np.zeros(0, dtype=np.float32)
    if layer is not None and layer not in layers:
        if layer > max(layers):
            raise VitralError("layer_out_of_range", layer=layer, num_layers=max(layers) + 1)
        raise without_attention(model, layer, layers)
    chosen = list(layers.values()) if layer is None else [layers[layer]]
    if head is not None:
        if head >= len(chosen[0]):
            raise VitralError("head_out_of_range", head=head, num_heads=len(chosen[0]))
        chosen = [each[head : head + 1] for each in chosen]
    row: NDArray[np.float32] = torch.stack([each.mean(0) for each in chosen]).mean(0).cpu().numpy()
    return row


def next_token_block(
    session: Session, sessions: WritingSessions, asked: schemas.NextTokenRequest
) -> bytes:
    """float32 [V + S + T]: the logits of the next token, then the weights of the most recent one
    on what an encoder read (none without one), then those on what the decoder reads."""
    import numpy as np

    with session.catalog.borrow(asked.model) as model:
        check_kind(model)
        with sessions.borrow(
            beginning_of(asked), asked.written, lambda: stepping_of(session, model, asked)
        ) as stepping:
            check_length(session, stepping, asked)
            ended = stepping.ended(asked.written)
            logits = cross = row = np.zeros(0, dtype=np.float32)
            seen: dict[int, Tensor] = {}
            if ended is None:
                newest = stepping.look(asked.written)
                logits = newest.logits.cpu().numpy()
                cross = row_of(asked.model, newest.cross, asked.layer, asked.head)
                row = row_of(asked.model, newest.attention, asked.layer, asked.head)
                seen = newest.attention or newest.cross or {}
            answers = stepping.source is not None
            prompt = pieces_of(model, stepping.source or stepping.prompt, read_as(model, asked)[0])
            opening = [piece(model, token.id, "") for token in stepping.prompt if answers]
            written = written_pieces(model, stepping.before, asked.written)
            header = schemas.NextTokenHeader(
                vocabulary=len(logits),
                cross=len(cross),
                prompt=prompt,
                opening=opening,
                written=written,
                start=stepping.start(asked.written),
                context=stepping.context,
                cache_bytes=stepping.num_bytes,
                ended=ended,
                num_layers=max(seen, default=-1) + 1,
                num_heads=len(next(iter(seen.values()))) if seen else 0,
                layer=asked.layer,
                head=asked.head,
            )
            return encode_block(
                np.concatenate([logits, cross, row]), aggregated=False, **header.model_dump()
            )


def check_kind(model: "Model") -> None:
    """Raises VitralError cannot_write, tokenizer_missing."""
    from vitral.generation.reading import can_write

    if not can_write(model.module):
        raise VitralError("cannot_write", model=model.name)
    if model.tokenizer is None:
        raise VitralError("tokenizer_missing", model=model.name)


def check_length(session: Session, stepping: "Stepping", place: schemas.WritingPlace) -> None:
    """Raises VitralError text_over_tokens, and text_too_long for more than the context holds."""
    length = len(stepping.prompt) + len(place.written)
    if length > session.limits.tokens:
        raise VitralError("text_over_tokens", length=length, limit=session.limits.tokens)
    size = stepping.context
    if size is not None and length > size and not place.windowed:
        raise VitralError("text_too_long", length=length, context=size, model=place.model)


def vocabulary_of(session: Session, name: str) -> schemas.Vocabulary:
    """The names of all tokens of a model."""
    from vitral.models.description import number
    from vitral.text.raw_bytes import raw_bytes
    from vitral.tracing.recording.reading import bare_tokens

    with session.catalog.borrow(name) as model:
        check_kind(model)
        size = number(model.module, "vocab_size") or 0
        tokens = bare_tokens(list(range(size)), model.tokenizer)
        named = ((token.id, raw_bytes(model.tokenizer, token.id)) for token in tokens)
        return schemas.Vocabulary(
            texts=[token.text for token in tokens],
            special=[token.id for token in tokens if token.special],
            parts={number: name for number, name in named if name is not None},
        )
