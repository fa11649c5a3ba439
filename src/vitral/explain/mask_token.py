"""The mask token: what stands in a text for the word that an encoder is asked for."""

from typing import Any

from vitral.errors import VitralError


def mask_id(model: Any) -> int:
    """Its id in the tokenizer of a `vitral.Model`. Raises VitralError `ablation_no_mask`."""
    tokenizer = model.tokenizer
    found = getattr(tokenizer, "mask_token_id", None)
    if hasattr(tokenizer, "token_to_id"):
        named = (tokenizer.token_to_id(name) for name in ("[MASK]", "<mask>"))
        found = next((each for each in named if each is not None), None)
    if found is None:
        raise VitralError("ablation_no_mask", model=model.name)
    return int(found)
