"""The answers to questions about a trace: one implementation, for Studio and for notebooks."""

from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.traces import schemas
from vitral.studio.traces.arithmetic import arithmetic_of
from vitral.studio.traces.query_key import query_key_block
from vitral.studio.traces.questions import (
    ArithmeticQuestion,
    PooledQuestion,
    QueryKeyQuestion,
    StrongestQuestion,
    ViewQuestion,
)
from vitral.studio.traces.strongest import StrongestWeights, strongest_of
from vitral.studio.traces.token_list import tokens_block
from vitral.studio.traces.views import pooled_block, view_block
from vitral.surfaces.picture import PictureSurface

if TYPE_CHECKING:
    from vitral.tracing import Trace


class TraceAnswers:
    """Each method takes one question of questions.py and gives JSON's model or a block's bytes.
    They compute in the thread that calls them, and raise VitralError as the function below does.
    """

    def __init__(self, trace: "Trace", limits: Limits) -> None:
        self.trace, self.limits = trace, limits

    def tokens(self) -> bytes:
        """int32 [3, tokens]: see `tokens_block`."""
        return tokens_block(self.trace)

    def picture(self) -> bytes:
        """The picture that the tokens lie on, as a PNG. Raises VitralError `no_picture`."""
        if not isinstance(self.trace.surface, PictureSurface):
            raise VitralError("no_picture")
        return self.trace.surface.png

    def pooled(self, asked: PooledQuestion) -> bytes:
        """uint8 [layers, heads, s, s']: see `pooled_block`."""
        return pooled_block(self.trace, self.limits.pooled_side, asked.part)

    def view(self, asked: ViewQuestion) -> bytes:
        """float32 [height, width]: see `view_block`."""
        return view_block(self.trace, asked, self.limits)

    def arithmetic(self, asked: ArithmeticQuestion) -> schemas.Arithmetic:
        """One weight's calculation: see `vitral.explain.arithmetic`."""
        return arithmetic_of(self.trace, asked)

    def query_key(self, asked: QueryKeyQuestion) -> bytes:
        """float32 [1 + keys, width]: see `query_key_block`."""
        return query_key_block(self.trace, asked)

    def strongest(self, asked: StrongestQuestion) -> StrongestWeights:
        """A head's largest weights: see `vitral.explain.strongest_weights`."""
        return strongest_of(self.trace, asked)
