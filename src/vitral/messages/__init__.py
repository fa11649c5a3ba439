"""What the program says, in its reader's language: sentences, and the numbers in them."""

from vitral.messages.catalogue import catalogue, message
from vitral.messages.language import LANGUAGES, preferred_language

__all__ = ["LANGUAGES", "catalogue", "message", "preferred_language"]
