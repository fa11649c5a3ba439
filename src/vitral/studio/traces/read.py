"""A trace that Studio keeps, read in another way: without resting tokens, by words."""

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.traces.store import StoredTrace, trace_bytes
from vitral.studio.traces.summary import summary_of


def read_stored(stored: StoredTrace, name: str, limits: Limits) -> StoredTrace:
    """The trace as `Trace.read` gives it, by the reading's name; its id is "<id>~<name>". In a
    thread.

    Raises VitralError `reading_unknown`, `reading_too_long`, and what `Trace.read` raises.
    """
    from vitral.tracing.readings.reading import Reading

    reading, summary = Reading.of_name(name), stored.summary
    length = max(len(stored.trace.tokens), len(stored.trace.decoder_tokens))
    if length > limits.reading_tokens:
        raise VitralError("reading_too_long", length=length, limit=limits.reading_tokens)
    trace = stored.trace.read(resting=reading.resting, words=reading.words, heads=reading.heads)
    read = summary_of(
        trace,
        key=f"{summary.id}~{name}",
        model=summary.model,
        seconds=summary.seconds,
        limits=limits,
        answer=summary.answer,
        opened=summary.opened,
    )
    return StoredTrace(trace, read, trace_bytes(trace))
