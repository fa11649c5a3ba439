"""The register of forms: a name for each architecture, and the module in which its `FORM` stands.

To add one, write its file and put one line here. A module is imported when its form is first asked
for, so that listing names costs nothing.

    >>> "llama" in names()
    True
    >>> form_named("llama").kind
    'decoder'
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.models.form import Form

_MODULES = {
    "llama": "vitral.models.llama",
    "gpt2": "vitral.models.gpt",
    "recurrent": "vitral.models.recurrent",
    "bert": "vitral.models.bert",
    "roberta": "vitral.models.roberta",
    "albert": "vitral.models.albert",
    "modernbert": "vitral.models.modernbert",
    "recurrent_sequence_to_sequence": "vitral.models.recurrent_sequence_to_sequence",
    "transformer": "vitral.models.transformer",
}
DEFAULT = next(iter(_MODULES))
"""The default form of a run."""

OWN = "vitral-"
"""The prefix of `model_type` in folders that only Vitral can open."""


def names() -> tuple[str, ...]:
    """The names of all forms, in the order in which they are offered."""
    return tuple(_MODULES)


def register(name: str, module: str) -> None:
    """Add the form of that name, whose module holds it as `FORM`; before recipes are read."""
    _MODULES[name] = module
    every_form.cache_clear()


def form_named(name: str) -> "Form":
    """The form of that name, one of `names`."""
    found: Form = import_module(_MODULES[name]).FORM
    assert found.name == name, f"{_MODULES[name]} holds the form {found.name}, not {name}"
    return found


@cache
def every_form() -> tuple["Form", ...]:
    """All forms, in their order."""
    return tuple(map(form_named, names()))


def form_of_folder(architecture: str) -> "Form | None":
    """The form whose folders have that architecture, or None if it is none of ours."""
    return next((each for each in every_form() if architecture in each.folder.architectures), None)


def form_of_body(architecture: str) -> "Form | None":
    """The form whose model without its head is called so, or None."""
    bodies = ((each.folder.body, each) for each in every_form())
    return next((each for body, each in bodies if body and body[0] == architecture), None)


def form_of(model: Any) -> "Form | None":
    """The form of a module, or None if it is no model of ours."""
    return next((each for each in every_form() if isinstance(model, each.model)), None)
