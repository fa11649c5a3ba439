"""How the weights of a trace are read: the one record that Python, Studio and the page share.

Three things may be asked, and they are done in this order, whatever the order of asking:

1. `resting=False` leaves out the keys at which heads rest (special tokens, and the first token
   where no token sees a later one) and scales the rest of each row to one:

       p'[t, s] = p[t, s] / Σ_{r not resting} p[t, r]

   A row that has nothing else to look at becomes zeros. A learned sink rests, too.
2. `heads` takes the mean of some heads of each layer. It replaces them: a layer has one head then.
3. `words=True` joins the pieces of each word: weights *to* a word are the sum over its pieces,
   weights *from* a word the mean over its pieces, so that rows still sum to one (Clark et al.
   2019, arXiv:1906.04341, section 4.1).

Resting: attention that goes to separators and first tokens does next to nothing (Clark et al. 2019,
section 3.2; Xiao et al. 2023, arXiv:2309.17453; Kobayashi et al. 2020, arXiv:2004.10102).
"""

import re
from dataclasses import dataclass, replace

from vitral.errors import VitralError
from vitral.messages import message

_HEADS = re.compile(r"heads-([0-9]{1,4}(?:\.[0-9]{1,4})*)")


@dataclass(frozen=True)
class Reading:
    """One way of reading; see the head of the file. By default the weights as they are.

    `heads` is sorted, without repetitions. Raises VitralError `reading_heads` for an empty list.
    """

    resting: bool = True
    words: bool = False
    heads: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.heads is not None:
            object.__setattr__(self, "heads", tuple(sorted(set(self.heads))))
            if not self.heads:
                raise VitralError("reading_heads")

    @property
    def is_plain(self) -> bool:
        """Whether it changes nothing."""
        return self == PLAIN

    def and_then(self, more: "Reading") -> "Reading":
        """Both at once; of two choices of heads the later one."""
        heads = self.heads if more.heads is None else more.heads
        return Reading(self.resting and more.resting, self.words or more.words, heads)

    @property
    def name(self) -> str:
        """As addresses write it: "no-rest~words~heads-0.3"; "" for the weights as they are."""
        heads = self.heads
        said = ["no-rest" * (not self.resting), "words" * self.words]
        said += [] if heads is None else [f"heads-{'.'.join(map(str, heads))}"]
        return "~".join(filter(None, said))

    @staticmethod
    def of_name(name: str) -> "Reading":
        """The reading of a name. Raises VitralError `reading_unknown`."""
        found = PLAIN
        for word in name.split("~") if name else []:
            match = _HEADS.fullmatch(word)
            if word == "no-rest":
                found = replace(found, resting=False)
            elif word == "words":
                found = replace(found, words=True)
            elif match is not None:
                found = replace(found, heads=tuple(map(int, match[1].split("."))))
            else:
                raise VitralError("reading_unknown", name=word[:40])
        return found

    def said(self, language: str | None = None) -> list[str]:
        """What a picture says of it, in the order in which it is done; [] for a plain one."""
        found = [] if self.resting else [message("reading.no_rest", language)]
        if self.heads is not None:
            named = ", ".join(map(str, self.heads))
            found.append(message("reading.heads", language, heads=named))
        return [*found, *([message("reading.words", language)] if self.words else [])]


PLAIN = Reading()
