"""The Train room's form as its tests fill it in, and a Studio whose trainings end with it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page
from studio_process import running_studio

from vitral.training.runs.run_lock import holder_of

SMALL = {
    "model.context": "32",
    "model.hidden_size": "16",
    "model.num_layers": "2",
    "model.num_heads": "2",
    "model.intermediate_size": "24",
    "batch.tokens": "64",
    "batch.lengths": "16",
}
"""What is typed for a very small model."""

WAIT = 180_000
"""Milliseconds that a training may take to come to something."""


@contextmanager
def training_studio(model: Path, runs: Path) -> Iterator[str]:
    """The address of a Studio on that model; what trains in `runs` at its end is killed."""
    with running_studio(model, runs=runs) as (address, _):
        yield address
        for path in runs.glob("*"):
            holder = holder_of(path)
            if holder is not None:
                os.kill(holder, signal.SIGKILL)


def without_the_dial(page: Page) -> None:
    """The dial's own choice takes its time, and has tests of its own: here it is too busy."""
    error = {"code": "studio_busy", "values": {}, "message": ""}
    page.route(
        "**/api/training/proposal",
        lambda route: route.fulfill(status=503, json={"error": error}),
    )


def field(page: Page, path: str) -> Locator:
    """The control of an entry, whatever stands below it later: first it is found by its path."""
    box = page.locator(".field").filter(has=page.locator(f"code:text-is('{path}')"))
    return page.locator(f"[id='{box.locator('input, select').get_attribute('id')}']")
