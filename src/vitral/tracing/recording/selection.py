"""Which addresses are recorded: all but the neurons, or those that were chosen.

`*` in a chosen address stands for anything: "layers.*.mlp.out" is that of every layer. Of an
attention, queries, keys, values and log-sum-exp are kept together, since the pattern is made of
them: who chooses one has the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vitral.errors import VitralError
from vitral.tracing.addresses import ATTENTION_PARTS, NEURONS, unknown


@dataclass(frozen=True)
class Selection:
    """`chosen` are addresses, or None for the usual ones. `seen` collects all that there are."""

    chosen: tuple[str, ...] | None = None
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, record: str | Sequence[str] | None) -> "Selection":
        """What `Model.trace` was given. Raises VitralError `record_empty`."""
        if record is None:
            return cls()
        chosen = (record,) if isinstance(record, str) else tuple(record)
        if not chosen or not all(isinstance(each, str) and each for each in chosen):
            raise VitralError("record_empty")
        return cls(chosen)

    def wants(self, address: str) -> bool:
        """Whether the value at an address is kept."""
        self.seen.add(address)
        if self.chosen is None:
            return not address.endswith(f".{NEURONS}")
        return any(fnmatchcase(address, each) for each in self.chosen)

    def wants_attention(self, prefix: str) -> bool:
        """Whether an attention is kept, "layers.5.attention"."""
        wanted = [self.wants(f"{prefix}.{part}") for part in ATTENTION_PARTS]  # all are seen
        return any(wanted)

    def check(self) -> None:
        """Raises VitralError `address_unknown` for a chosen address that the model does not
        have, naming the nearest ones."""
        for each in self.chosen or ():
            if not any(fnmatchcase(address, each) for address in self.seen):
                raise unknown(each, sorted(self.seen))


@dataclass(frozen=True)
class Recorded:
    """What a trace of chosen addresses says of itself: those, and how many layers each stack
    has, recorded or not."""

    chosen: tuple[str, ...]
    num_layers: dict[str, int]

    @classmethod
    def of(cls, selection: Selection, num_layers: dict[str, int]) -> "Recorded | None":
        return None if selection.chosen is None else cls(selection.chosen, num_layers)

    def covers(self, address: str) -> bool:
        """Whether an address was chosen: where it is missing, the model has no such value."""
        return any(fnmatchcase(address, each) for each in self.chosen)

    def missing(self, address: str) -> VitralError:
        """The error for an address that was not chosen."""
        chosen = ", ".join(self.chosen)
        return VitralError("not_recorded", address=address, chosen=chosen)
