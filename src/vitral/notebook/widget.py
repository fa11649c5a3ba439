"""The widget: what is shown, as traits that the picture and Python share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets as t
from pydantic import ValidationError
from torch import Tensor

from vitral.errors import VitralError
from vitral.messages import preferred_language
from vitral.notebook import lifetime
from vitral.notebook.questions import Message, answer
from vitral.notebook.still import still_html
from vitral.studio.gate.error_body import error_body
from vitral.studio.single_trace import SingleTrace
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.parts import without_attention

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace

VIEWS = ("lines", "map", "numbers", "components", "arithmetic")
"""The views of Explore that need only a trace (web/src/trace/views.ts)."""
NEED_QUERIES = ("components", "arithmetic")
"""Those that a trace of patterns alone does not have."""
SCALES = ("glass", "course")
THEMES = ("light", "dark")
LANGUAGES = ("en", "es")
HEIGHT = 560
"""Enough for the lines of some fifteen tokens, and for little enough of a screen."""
WHOLE = 512
"""Of a longer text no head is computed whole but on request."""
PROGRAM = Path(__file__).with_name("static") / "widget.js"


class TraceWidget(anywidget.AnyWidget):
    """One part of a trace, shown. Made by `trace.show()`; the trace and its part stay.

    `layer`, `head` and `token` (the one that attends; None for all) count from 0; `key` is the
    token attended to whose weight is computed (None for the strongest); `view` is one of
    "lines", "map", "numbers", "components" and "arithmetic"; `scale` "glass" or "course", from
    blue to red; `lifted` brings weak weights forward. `language` and `theme` are the reader's own
    where they are None; `height` is that of the picture in pixels.

    Setting a trait to what is not there raises VitralError `layer_out_of_range`,
    `layer_without_attention`, `head_out_of_range`, `token_out_of_range` or `page_option`.
    """

    layer = t.Int().tag(sync=True)
    head = t.Int().tag(sync=True)
    token = t.Int(None, allow_none=True).tag(sync=True)
    key = t.Int(None, allow_none=True).tag(sync=True)
    view = t.Unicode("lines").tag(sync=True)
    scale = t.Unicode("glass").tag(sync=True)
    lifted = t.Bool(False).tag(sync=True)
    language = t.Unicode(None, allow_none=True).tag(sync=True)
    theme = t.Unicode(None, allow_none=True).tag(sync=True)
    height = t.Int(HEIGHT, min=240, max=4000).tag(sync=True)
    _views = t.List(t.Unicode(), read_only=True).tag(sync=True)

    def __init__(self, trace: "Trace", part: str, **looked_at: Any) -> None:
        self.trace, self.part = trace, part
        self.answers = SingleTrace(trace, part)
        if not PROGRAM.is_file():
            raise VitralError("page_not_built")
        known = not any(
            isinstance(record, GivenPattern) for record in self.answers.records.values()
        )
        self._offered = tuple(name for name in VIEWS if known or name not in NEED_QUERIES)
        self._esm = PROGRAM.read_text(encoding="utf-8")
        self.set_trait("_views", list(self._offered))
        super().__init__(**looked_at)
        self.on_msg(self._heard)
        lifetime.let_go(self)

    @property
    def weights(self) -> Tensor:
        """What the picture shows: float32 [tokens], what `token` gives each token, or without
        one all weights of the head [tokens, tokens]."""
        if "trace" not in self.__dict__:
            raise VitralError("widget_closed")
        if self.token is None or len(self.answers.query_tokens) <= WHOLE:
            pattern = self.trace.attention(self.layer, self.head, self.part)
            return pattern if self.token is None else pattern[self.token]
        record = self.answers.records[self.layer]
        return record.pattern(self.head, (self.token, self.token + 1))[0, 0].cpu()

    def __repr__(self) -> str:
        of = repr(self.trace) if "trace" in self.__dict__ else "a trace that was let go"
        return f"<TraceWidget of {of}: layer {self.layer}, head {self.head}>"

    def _repr_mimebundle_(self, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The widget, and a still picture for where a saved notebook is only read."""
        bundle: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**asked)
        if bundle is None:
            return None
        lifetime.displayed(self)
        data, metadata = bundle
        return {**data, "text/plain": repr(self), "text/html": still_html(self)}, metadata

    def close(self) -> None:
        """Take the widget from the page; its trace is let go."""
        lifetime.closed(self)
        super().close()
        self.__dict__.pop("trace", None)
        self.__dict__.pop("answers", None)

    def _heard(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer one question that the picture asks."""
        try:
            asked = Message.model_validate(content)
        except ValidationError:
            return  # no question of ours
        try:
            found = answer(self.answers, asked.ask, asked.values)
        except VitralError as error:
            self._refuse(asked.question, error)
        except Exception:
            self._refuse(asked.question, VitralError("internal"))
            raise  # its traceback is for the author of the notebook
        else:
            if isinstance(found, bytes):
                self.send({"answer": asked.question}, buffers=[found])
            else:
                self.send({"answer": asked.question, "found": found})

    def _refuse(self, question: str, error: VitralError) -> None:
        body = error_body(error, self.language or preferred_language())
        self.send({"answer": question, **body.model_dump()})

    @t.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> int:
        layer, num_layers = int(proposal["value"]), self.answers.num_layers
        if not 0 <= layer < num_layers:
            raise VitralError("layer_out_of_range", layer=layer, num_layers=num_layers)
        if layer not in self.answers.records:
            raise without_attention(self.trace.model, layer, self.answers.records)
        return layer

    @t.validate("head")
    def _check_head(self, proposal: dict[str, Any]) -> int:
        head, num_heads = int(proposal["value"]), self.answers.num_heads
        if not 0 <= head < num_heads:
            raise VitralError("head_out_of_range", head=head, num_heads=num_heads)
        return head

    @t.validate("token", "key")
    def _check_token(self, proposal: dict[str, Any]) -> int | None:
        asked = proposal["trait"].name
        length = len(self.answers.key_tokens if asked == "key" else self.answers.query_tokens)
        token = proposal["value"]
        if token is not None and not 0 <= token < length:
            raise VitralError("token_out_of_range", token=token, length=length)
        return None if token is None else int(token)

    @t.validate("view", "scale", "language", "theme")
    def _check_choice(self, proposal: dict[str, Any]) -> str | None:
        name, value = proposal["trait"].name, proposal["value"]
        choices = {"view": self._offered, "scale": SCALES, "language": LANGUAGES, "theme": THEMES}
        if value not in choices[name] and not (value is None and name in ("language", "theme")):
            known = ", ".join(choices[name])
            raise VitralError("page_option", option=name, value=value, known=known)
        return None if value is None else str(value)
