"""How much one Studio takes on: every size that a request can reach has a limit here.

The numbers suit one person's machine. `create_app` takes another `Limits` where they do not.
"""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, cells, tokens or requests, as each name says."""

    body_bytes: int = 4 * MIB
    """Largest request body; the rest is not even read."""
    text_bytes: int = 2 * MIB
    """Largest text, in UTF-8."""
    answer_tokens: int = 64
    """Most tokens that an encoder–decoder writes as its answer to a text."""
    trace_file_bytes: int = 256 * MIB
    """Largest trace file that is opened; what comes after is not read."""
    picture_bytes: int = 16 * MIB
    """Largest file of a picture that is taken."""
    page_megabytes: float = 64.0
    """Largest page that a trace is written into."""
    tokens: int = 131_072
    """Most tokens of one trace, whatever the model's context. What the machine has no memory for
    is refused before it runs: see vitral.tracing.memory.forecast."""
    listed_tokens: int = 4096
    """Most tokens that a trace's description lists; those of a longer text come as a block."""
    reading_tokens: int = 4096
    """Most tokens of a trace that is read in another way: without resting tokens, by words."""
    view_cells: int = 256 * 256
    """Most cells (height × width) of one view."""
    view_side: int = 256
    """Cells to a side of a view that does not say."""
    pooled_side: int = 24
    """Side of the small map of every head."""
    store_bytes: int = 1024 * MIB
    """Memory for the traces kept; the newest stays even if it alone takes more."""
    store_traces: int = 64
    """Most traces kept."""
    workers: int = 2
    """Threads that run models."""
    quick_workers: int = 2
    """Threads that cut views, and answer what else is short."""
    waiting: int = 64
    """Pieces of work that may run or wait in either lane; one more is answered 503."""
    waiting_each: int = 16
    """How many of them one client may have."""
