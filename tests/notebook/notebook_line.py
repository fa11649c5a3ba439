"""The wire between a widget and its picture, at the picture's end, without a notebook."""

from typing import Any

import pytest

from vitral.notebook import TraceWidget

SENTENCE = "El perro que persiguió al gato cruzó la calle."


class Line:
    def __init__(self, widget: TraceWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []

        def publish(msg_type: str, data: Any = None, buffers: Any = None, **_: Any) -> None:
            self.sent.append((data, list(buffers or [])))

        monkeypatch.setattr(widget.comm, "publish_msg", publish)

    def says(self, content: Any, method: str = "custom") -> None:
        """The picture sends a message."""
        data = {"method": method, **content}
        self.widget.comm.handle_msg({"content": {"data": data}, "buffers": [], "metadata": {}})

    def ask(self, ask: str, **values: Any) -> tuple[dict[str, Any], list[bytes]]:
        """The one answer to a question, and its buffers."""
        before = len(self.sent)
        self.says({"content": {"question": "x-1", "ask": ask, "values": values}})
        [(data, buffers)] = self.sent[before:]
        assert data["method"] == "custom"
        assert data["content"]["answer"] == "x-1"
        return data["content"], buffers
