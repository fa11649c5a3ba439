"""One part of one trace for a page without a Studio: a notebook's picture."""

from typing import TYPE_CHECKING

import vitral
from vitral.showing.page_data import checked_records
from vitral.studio.catalog.description import ModelDescription
from vitral.studio.limits import Limits
from vitral.studio.schemas import Studio
from vitral.studio.traces import schemas
from vitral.studio.traces.answers import TraceAnswers
from vitral.studio.traces.questions import PooledQuestion
from vitral.studio.traces.summary import part_of, surface_of
from vitral.surfaces.picture import PictureSurface

if TYPE_CHECKING:
    from vitral.tracing.token import Token
    from vitral.tracing.trace import Trace


class SingleTrace(TraceAnswers):
    """Answers about one part of a trace; `studio` and `summary` describe this one model and text.

    Raises VitralError `page_layers` and `trace_not_drawn` where the picture
    cannot show it.
    """

    def __init__(self, trace: "Trace", part: str) -> None:
        super().__init__(trace, Limits())
        self.part = part
        self.records = checked_records(trace, part)
        self.query_tokens, self.key_tokens = trace.query_tokens(part), trace.key_tokens(part)
        within = self.key_tokens is self.query_tokens
        lists = {"queries": "tokens" if within else "decoder_tokens", "keys": "tokens"}
        self.described = part_of(trace, part).model_copy(update=lists)
        self.num_layers, self.num_heads = trace.num_blocks(part), self.described.num_heads

    def studio(self) -> Studio:
        """The list of models: this one."""
        described = ModelDescription(
            name=self.trace.model,
            title=self.trace.model,
            kind="decoder" if self.described.causal else "encoder",
            reads="picture" if isinstance(self.trace.surface, PictureSurface) else "text",
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            context=None,
            chats=False,
            architecture="",
            bundled=False,
        )
        return Studio(
            version=vitral.__version__,
            default_model=self.trace.model,
            default_text=self.text,
            max_text_bytes=0,
            max_tokens=len(self.query_tokens),
            max_trace_file_bytes=0,
            max_picture_bytes=0,
            models=[described],
            rooms=[],
        )

    def summary(self) -> schemas.Trace:
        """The trace without its numbers."""
        two = self.key_tokens is not self.query_tokens
        tokens = self.key_tokens
        return schemas.Trace(
            id="notebook",
            model=self.trace.model,
            text=self.text,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            causal=self.described.causal,
            exactness=self.trace.exactness,
            parts=[self.described],
            num_tokens=len(tokens),
            surface=surface_of(self.trace),
            tokens=_listed(tokens),
            decoder_tokens=_listed(self.query_tokens if two else []),
            answer=None,
            edits=self.trace.edits,
            reading=self.trace.reading.name,
            opened=None,
            pooled_size=min(self.limits.pooled_side, self._longest),
            seconds=0.0,
        )

    def pooled(self, asked: PooledQuestion) -> bytes:
        """The small maps of this part, where the question names none."""
        named = asked if asked.part is not None else PooledQuestion(part=self.part)
        return super().pooled(named)

    @property
    def _longest(self) -> int:
        return max(len(self.query_tokens), len(self.key_tokens))

    @property
    def text(self) -> str:
        """What was read; of a trace that was given ids, what its tokens are called."""
        if self.trace.text is not None and self.query_tokens is self.trace.tokens:
            return self.trace.text
        if self.trace.surface is not None and self.query_tokens is self.trace.tokens:
            return self.trace.surface.title
        return "".join(token.text for token in self.query_tokens)


def _listed(tokens: "list[Token]") -> list[schemas.Token]:
    return [schemas.Token(**token.entries()) for token in tokens]
