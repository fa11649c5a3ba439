"""The lessons, read once."""

import pytest

from vitral.lessons.shelf import Shelf


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """The lessons that come with Vitral."""
    return Shelf()
