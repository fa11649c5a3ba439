"""The mask token: what replaces the word that an encoder predicts."""

from vitral.errors import VitralError
from vitral.tracing.protocols import TraceableModel


def mask_id_if_any(model: TraceableModel) -> int | None:
    """Its id in the model's tokenizer; None where the tokenizer has none."""
    tokenizer = model.tokenizer
    found = getattr(tokenizer, "mask_token_id", None)
    if hasattr(tokenizer, "token_to_id"):
        named = (tokenizer.token_to_id(name) for name in ("[MASK]", "<mask>"))
        found = next((each for each in named if each is not None), None)
    return None if found is None else int(found)


def mask_id(model: TraceableModel) -> int:
    """Its id in the model's tokenizer. Raises VitralError `ablation_no_mask`."""
    found = mask_id_if_any(model)
    if found is None:
        raise VitralError("ablation_no_mask", model=model.name)
    return found
