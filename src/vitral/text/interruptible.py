"""Long work in a library, which Ctrl-C can end.

Python looks for Ctrl-C between its own steps only. A call into a library that takes a minute
would be deaf for a minute; so it works in a thread of its own, and this one waits and listens.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def interruptible(work: Callable[[], Result]) -> Result:
    """What `work` gives or raises. KeyboardInterrupt ends the waiting at once; the work then ends
    with the program, or when it is done, and its result is dropped."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    found: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    if failed:
        raise failed[0]
    return found[0]
