"""The token that an option names: by its text, which has to be one token."""

from typing import TYPE_CHECKING

from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.tracing import Trace


def answer_token(model: "Model", trace: "Trace", place: int, text: str | None) -> int | None:
    """The id of a text that is one token, as it is or with a space before it: of the two, the one
    that the model gives the higher logit after the token `place`. None for None.

    Raises VitralError `token_not_single`, `logits_not_available`, `token_out_of_range`.
    """
    if text is None:
        return None
    if "logits" not in trace.values or trace["logits"].dim() != 2:
        raise VitralError("logits_not_available", model=trace.model)
    logits = trace["logits"]
    if not -len(logits) <= place < len(logits):
        raise VitralError("token_out_of_range", token=place, length=len(logits))
    readings = [model.tokens(each, add_special_tokens=False) for each in (text, f" {text}")]
    ids = [read[0].id for read in readings if len(read) == 1]
    if not ids:
        raise VitralError("token_not_single", text=repr(text), model=model.name)
    return max(ids, key=lambda each: float(logits[place, each]))


def token_name(model: "Model", number: int) -> str:
    """What a token is called."""
    from vitral.tracing.recording.reading import bare_tokens

    return bare_tokens([number], model.tokenizer)[0].text
