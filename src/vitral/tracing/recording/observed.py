"""The state of a module while its attention is observed.

One thread at a time observes a module: it holds the module's lock. Compiled parts run uncompiled,
every attention goes through Vitral's function, which calls the observer, and gradients are off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock
from weakref import WeakKeyDictionary

import torch
from torch import nn

from vitral.nn.attention_call import AttentionObserver, observer
from vitral.tracing.recording.attention_function import attention_through_vitral
from vitral.tracing.recording.compiled import as_written

_locks: WeakKeyDictionary[nn.Module, RLock] = WeakKeyDictionary()
_locks_lock = Lock()


def lock_of(module: nn.Module) -> RLock:
    """The lock that a thread holds while it observes or edits a module; other threads wait."""
    with _locks_lock:
        return _locks.setdefault(module, RLock())


@contextmanager
def observed(module: nn.Module, observing: AttentionObserver) -> Iterator[None]:
    """Inside, each attention of `module` is reported to `observing`; afterwards the module is as
    it was."""
    with lock_of(module), as_written(module), attention_through_vitral(module), torch.no_grad():
        token = observer.set(observing)
        try:
            yield
        finally:
            observer.reset(token)
