"""The limits of one Studio: every size that a request can reach has a limit here.

The defaults suit a personal computer; `create_app` accepts other `Limits`.
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
    """Largest trace file that is opened; the rest is not read."""
    picture_bytes: int = 16 * MIB
    """Largest file of a picture that is accepted."""
    page_megabytes: float = 64.0
    """Largest page that a trace is written into."""
    tokens: int = 131_072
    """Most tokens of one trace, whatever the model's context. A trace that does not fit in memory
    is refused before it runs: see vitral.tracing.memory.forecast."""
    listed_tokens: int = 4096
    """Most tokens in a trace's description; those of a longer text are sent as a block."""
    reading_tokens: int = 4096
    """Most tokens of a trace that is read in another way: without resting tokens, by words."""
    view_cells: int = 256 * 256
    """Most cells (height × width) of one view."""
    view_side: int = 256
    """Cells per side of a view by default."""
    pooled_side: int = 24
    """Side of the small map of every head."""
    store_bytes: int = 1024 * MIB
    """Memory for the traces kept; the most recent one stays even if it alone needs more."""
    store_traces: int = 64
    """Most traces kept."""
    workers: int = 2
    """Threads that run models."""
    quick_workers: int = 2
    """Threads that compute views and other short answers."""
    waiting: int = 64
    """Jobs that may run or wait in either lane; another one is answered with 503."""
    waiting_each: int = 16
    """How many jobs one client may have."""
