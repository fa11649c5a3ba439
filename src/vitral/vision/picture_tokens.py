"""The tokens of a picture: patches named by row and column, and those that are no patch.

What a token that is no patch is called follows from the parameters that models of transformers
keep them in, in the order in which these models put them: [CLS], [DIST], registers, then the
patches, then detection tokens. Where their number does not come out, they are only numbered.
"""

from torch import nn

from vitral.surfaces.place import Patch
from vitral.tracing.token import Token
from vitral.vision.patch_layout import PatchLayout

_BEFORE = (
    (("cls_token", "class_embedding", "class_token"), "CLS"),
    (("distillation_token",), "DIST"),
    (("register_tokens",), "REG"),
)
_AFTER = ((("detection_tokens",), "DET"),)


def picture_tokens(module: nn.Module, layout: PatchLayout) -> list[Token]:
    """A token for each that enters the first layer; see `patch_layout`."""
    is_patch = [place is not None for place in layout.tokens]
    first = is_patch.index(True)
    last = len(is_patch) - is_patch[::-1].index(True)
    names = _names(module, _BEFORE, range(first)) | _names(
        module, _AFTER, range(last, len(is_patch))
    )
    tokens = []
    for number, place in enumerate(layout.tokens):
        if place is None:
            tokens.append(Token(number, names.get(number, f"[{number}]"), special=True))
            continue
        row, column = place
        left, top = column * layout.width, row * layout.height
        box = (left, top, left + layout.width, top + layout.height)
        tokens.append(Token(number, f"{row},{column}", place=Patch(row, column, *box)))
    return tokens


def _names(
    module: nn.Module, known: tuple[tuple[tuple[str, ...], str], ...], needed: range
) -> dict[int, str]:
    """What these tokens are called, by the parameters they come from; nothing where unclear."""
    parameters = {path.rpartition(".")[2]: each for path, each in module.named_parameters()}
    names: list[str] = []
    for keys, name in known:
        found = next((parameters[key] for key in keys if key in parameters), None)
        if found is not None:
            count = 1 if found.dim() < 2 else found.shape[-2]
            names += [f"[{name}]"] if count == 1 else [f"[{name} {i}]" for i in range(count)]
    return dict(zip(needed, names, strict=True)) if len(names) == len(needed) else {}
