"""A text that is too short, said to a person who chose no windows."""

from vitral.errors import VitralError


def said_plainly(error: VitralError) -> VitralError:
    """`text_too_short` in place of `corpus_shorter_than_window`, which names an entry of recipes;
    any other error as it is."""
    if error.key != "corpus_shorter_than_window":
        return error
    length, least = error.values["length"], error.values["window"]
    return VitralError("text_too_short", length=length, least=least)
