"""The models that a lesson's figures ask, by name.

In a Studio those of its catalogue may be named; without one, the bundled ones.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.models.catalog import BUNDLED

if TYPE_CHECKING:
    from vitral.model import Model

Lender = Callable[[str], AbstractContextManager["Model"]]


@cache
def _open_bundled(name: str) -> "Model":
    from vitral.model import load

    return load(name)


@contextmanager
def _bundled(name: str) -> Iterator["Model"]:
    if name not in BUNDLED:
        raise VitralError("model_unknown", name=name[:200], known=", ".join(BUNDLED))
    yield _open_bundled(name)


_lender: ContextVar[Lender] = ContextVar("lender", default=_bundled)


def borrow_model(name: str) -> AbstractContextManager["Model"]:
    """The model of that name, for one run: `with borrow_model(name) as model`.

    Raises VitralError("model_unknown"), and what loading it raises.
    """
    return _lender.get()(name)


@contextmanager
def models_of(lender: Lender) -> Iterator[None]:
    """Within it, `borrow_model` asks `lender`."""
    before = _lender.set(lender)
    try:
        yield
    finally:
        _lender.reset(before)
