"""From tokens to text during generation: no piece splits a character, and a stop string ends it.

A token can be part of a character, and its text can depend on the token before it. So the last few
tokens are decoded again with each new one; the cost does not depend on the text's length.
"""

from collections.abc import Sequence
from typing import Any

from vitral.text.raw_bytes import BROKEN


def spelled(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of `ids`, without special tokens."""
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True)
    return text


class Spelling:
    """The text that tokens add to `read`, those before them.

    `text` is what is certain so far, up to the first of the strings `stop`; `stopped` says
    whether one of them has come.
    """

    def __init__(self, tokenizer: Any, read: Sequence[int], stop: Sequence[str] = ()) -> None:
        self._tokenizer, self._stop = tokenizer, [each for each in stop if each]
        self._recent = list(read[-8:])
        # The part of the recent tokens' text that was returned before.
        self._known = spelled(tokenizer, self._recent)
        self._waiting = ""
        self.text = ""
        self.stopped = False

    def add(self, token: int) -> str:
        """The text that has become certain with one more token, often none."""
        self._recent.append(token)
        text = spelled(self._tokenizer, self._recent)
        if text.endswith(BROKEN):
            return ""
        self._waiting += text[len(self._known) :]
        self._recent = self._recent[-8:]
        self._known = spelled(self._tokenizer, self._recent)
        return self._give(ended=False)

    def end(self) -> str:
        """The rest of the text, after the last token."""
        self._waiting += spelled(self._tokenizer, self._recent)[len(self._known) :]
        self._recent, self._known = [], ""
        return self._give(ended=True)

    def _give(self, *, ended: bool) -> str:
        found = [place for each in self._stop if (place := self._waiting.find(each)) >= 0]
        if found:
            certain, self.stopped = min(found), True
        else:
            kept = 0 if ended else _length_of_a_beginning(self._waiting, self._stop)
            certain = len(self._waiting) - kept
        piece, self._waiting = self._waiting[:certain], self._waiting[certain:]
        self.text += piece
        return piece


def _length_of_a_beginning(text: str, stop: Sequence[str]) -> int:
    """How much of the end of `text` can be the beginning of a string of `stop`."""
    lengths = (
        length for each in stop for length in range(1, len(each)) if text.endswith(each[:length])
    )
    return max(lengths, default=0)


def gained(tokenizer: Any, before: Sequence[int], token: int) -> str:
    """The text that one more token adds to that of `before`: none while a character is
    incomplete, and all of it with the character's last token."""
    recent = list(before[-8:])
    known = spelled(tokenizer, recent).rstrip(BROKEN)
    return spelled(tokenizer, [*recent, token]).rstrip(BROKEN)[len(known) :]
