"""A layer while it is computed: what the recorder has seen of it so far."""

from torch import Tensor


class OpenLayer:
    """A layer that is being computed: what has been seen of it so far."""

    def __init__(self, prefix: str, path: str, stream: Tensor) -> None:
        self.prefix = prefix
        self.path = path
        self.pre = stream
        self.first_input: Tensor | None = None
        self.projecting: str | None = None  # the attention whose output projection comes next
        self.attended: dict[int, str] = {}  # by module: its attention's address
        self.norms: list[tuple[Tensor, Tensor]] = []  # what each read and gave
        self.mlp_input: Tensor | None = None
        self.last_linear: Tensor | None = None
        self.mlp_out: Tensor | None = None


def residual_mid(layer: OpenLayer) -> Tensor | None:
    """The stream between attention and feed-forward; see `recorder`."""
    read = layer.mlp_input
    if read is None or layer.first_input is None:
        return None
    if not same(layer.first_input, layer.pre):
        given = [before for before, after in layer.norms if same(after, read)]
        read = given[-1] if given else read
    if same(read, layer.pre):
        return None
    return read


def same(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are the same memory (while both are alive)."""
    return left.data_ptr() == right.data_ptr() and left.numel() == right.numel()
