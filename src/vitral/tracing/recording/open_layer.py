"""A layer while it is computed: what has been seen of it so far.

Within a layer,

- the first linear map after the attention is its output projection: `attention.out`;
- the next one is the first of the feed-forward part. What it reads is `residual.mid`, or, if a
  norm gave it that, what the norm read. (If the attention's own maps read the layer's input
  as it is, norms come last, as in BERT, and what they gave is the stream.) Where that is the
  layer's input itself, attention and feed-forward run side by side and there is no "mid";
- the last one of all is the last of the feed-forward part: `mlp.out`.

A layer without attention has these two where its feed-forward part is a child of its own: of its
other maps nobody can say what they are for.
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
        self.out: Tensor | None = None  # what the last attention added
        self.norms: list[tuple[Tensor, Tensor]] = []  # what each read and gave
        self.mlp_is_running = False
        self.mlp_input: Tensor | None = None
        self.last_linear: Tensor | None = None
        self.last_read: Tensor | None = None  # what the map that gave it read
        self.mlp_out: Tensor | None = None
        # Of what was changed on the way:
        self.mid: Tensor | None = None
        self.mid_is_sure = False
        self.mlp_is_done = False

    @property
    def norms_come_first(self) -> bool:
        """Whether the layer's first linear map read something else than the layer did."""
        return self.first_input is not None and not same(self.first_input, self.pre)

    @property
    def in_feed_forward(self) -> bool:
        """Whether all its attention is done, and what runs is the feed-forward part."""
        if not self.anatomy.num_attentions:
            return self.mlp_is_running
        done = len(self.attended) == self.anatomy.num_attentions
        return done and self.projecting is None

    def behind_norm(self, read: Tensor) -> Tensor:
        """What a norm read to give `read`; `read` itself where none did, or norms come last."""
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

    def neurons(self) -> Tensor | None:
        """What the last map of the feed-forward part read, where it is known which that is: the
        one whose output the part gives. A part of a single map has none."""
        gave, read = self.last_linear, self.last_read
        if gave is None or read is None or self.mlp_input is None or same(read, self.mlp_input):
            return None
        return read if self.mlp_out is None or same(gave, self.mlp_out) else None

    def may_be_mid(self, read: Tensor) -> bool:
        """Whether what a norm is about to read can be nothing but the stream between the parts."""
        made_by_parts = [self.pre, self.out, *(after for _, after in self.norms)]
        return self.norms_come_first and not any(
            each is not None and same(read, each) for each in made_by_parts
        )

    def begin_attention(self, module: object, place: str, *, projects: bool) -> None:
        """An attention is computed, and, if it `projects`, its output projection comes next."""
        self.attended[id(module)] = place
        if place not in self.places:
            self.places.append(place)
        self.projecting = place if projects else None
        self.mlp_input = self.last_linear = self.last_read = None


def same(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are the same memory (while both are alive)."""
    return left.data_ptr() == right.data_ptr() and left.numel() == right.numel()
