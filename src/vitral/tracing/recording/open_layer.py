"""A layer while it is computed: the modules and values seen so far.

Within a layer,

- the first linear map after the attention is its output projection: `attention.out`;
- the next one is the first of the feed-forward part. Its input is `residual.mid`, or, if a norm
  computed that input, the input of the norm. (If the attention's own maps read the layer's input
  directly, norms come last, as in BERT, and their output is the stream.) If this is the layer's
  input itself, attention and feed-forward run in parallel and there is no "mid";
- the last one of all is the last of the feed-forward part: `mlp.out`.

A layer without attention has these two only if its feed-forward part is a direct child: the role
of its other maps is unknown.
"""

from torch import Tensor

from vitral.tracing.recording.layers import Anatomy, Layer


class OpenLayer:
    """A layer that is being computed, the `number`th that was entered of its stack."""

    def __init__(self, layer: Layer, anatomy: Anatomy, number: int, stream: Tensor) -> None:
        self.layer = layer
        self.anatomy = anatomy
        self.number = number
        self.prefix = f"{layer.part}.layers.{number}" if layer.part else f"layers.{number}"
        self.pre = stream
        self.first_input: Tensor | None = None
        self.projecting: str | None = None  # the attention whose output projection comes next
        self.attended: dict[int, str] = {}  # by module: its attention's address
        self.places: list[str] = []  # all of them
        self.out: Tensor | None = None  # the output of the last attention
        self.norms: list[tuple[Tensor, Tensor]] = []  # input and output of each
        self.mlp_is_running = False
        self.mlp_input: Tensor | None = None
        self.last_linear: Tensor | None = None
        self.mlp_out: Tensor | None = None
        # Of changed values:
        self.mid: Tensor | None = None
        self.mid_is_sure = False
        self.mlp_is_done = False

    @property
    def norms_come_first(self) -> bool:
        """Whether the layer's first linear map read something other than the layer's input."""
        return self.first_input is not None and not same(self.first_input, self.pre)

    @property
    def in_feed_forward(self) -> bool:
        """Whether all its attention is done, so that the feed-forward part is running."""
        if not self.anatomy.num_attentions:
            return self.mlp_is_running
        done = len(self.attended) == self.anatomy.num_attentions
        return done and self.projecting is None

    def behind_norm(self, read: Tensor) -> Tensor:
        """The input of the norm that computed `read`; `read` itself if there is none."""
        if not self.norms_come_first:
            return read
        given = [before for before, after in self.norms if same(after, read)]
        return given[-1] if given else read

    def residual_mid(self) -> Tensor | None:
        """The stream between attention and feed-forward, once the layer is done."""
        if self.mlp_input is None or self.first_input is None:
            return None
        read = self.behind_norm(self.mlp_input)
        return None if same(read, self.pre) else read

    def may_be_mid(self, read: Tensor) -> bool:
        """Whether a norm's input must be the stream between attention and feed-forward."""
        made_by_parts = [self.pre, self.out, *(after for _, after in self.norms)]
        return self.norms_come_first and not any(
            each is not None and same(read, each) for each in made_by_parts
        )

    def begin_attention(self, module: object, place: str, *, projects: bool) -> None:
        """Note a computed attention; if it `projects`, its output projection comes next."""
        self.attended[id(module)] = place
        if place not in self.places:
            self.places.append(place)
        self.projecting = place if projects else None
        self.mlp_input = self.last_linear = None


def same(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are the same memory (while both are alive)."""
    return left.data_ptr() == right.data_ptr() and left.numel() == right.numel()
