"""A run with a sharded model: for models that one device cannot hold.

Each process keeps an equal share of the rows of every weight, of its gradient and of what the
optimiser stores for it. A layer's whole weights are gathered just before it computes and
freed just after; its gradients are summed and sharded again on the way back. This is
PyTorch's `fully_shard` ("FSDP2"; Zhao et al. 2023, https://arxiv.org/abs/2304.11277; the idea is
ZeRO's, Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054).

Shapes: N matrices, R rows, C columns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.training.distributed.parallel import PATIENCE, DataParallel
from vitral.training.objectives.batch import Batch
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.shapes import OTHERS
from vitral.training.runs.checkpoint import Checkpoint

ENTRANCE = "encode"
"""The method besides `forward` through which objectives enter a model; whatever they ask of it
afterwards finds the weights in place."""


class Sharded(DataParallel):
    """Each process has a share of every weight, and reads its own rows."""

    def __init__(self, device: str = "cpu", patience: timedelta = PATIENCE) -> None:
        super().__init__(device, patience)
        from torch.distributed.device_mesh import init_device_mesh

        self._mesh = init_device_mesh(torch.device(device).type, (self.size,))

    def check(self, recipe: Recipe) -> None:
        """Raises `sharded_cannot_grow` too: layers that are spread cannot be copied; and
        `sharded_other_form` for a model that is trained by transformers' own class."""
        super().check(recipe)
        if recipe.model.form in OTHERS:
            raise VitralError("sharded_other_form", form=recipe.model.form)
        depths = {phase.num_layers or recipe.model.num_layers for phase in recipe.phases}
        if len(depths) > 1:
            raise VitralError("sharded_cannot_grow", recipe=recipe.name)

    def place(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Every layer by itself, and the rest of the model together."""
        import torch.distributed as dist
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

        for tensor in (*model.parameters(), *model.buffers()):
            dist.broadcast(tensor.detach(), 0)  # all start from the leader's
        self._form = type(model)
        for layer in _layers(model):
            fully_shard(layer, mesh=self._mesh)
        fully_shard(model, mesh=self._mesh)
        if hasattr(model, ENTRANCE):
            register_fsdp_forward_method(model, ENTRANCE)
        return model

    def wrap(self, loss: nn.Module) -> nn.Module:
        return loss

    def parts(self, batch: Batch, number: int) -> Iterator[Batch]:
        """Gradients are exchanged with each part: whole ones would not fit."""
        return self._own_parts(batch, number)

    def clip(self, model: nn.Module, most: float | None) -> Tensor:
        norm: Any = super().clip(model, most)
        whole: Tensor = norm.full_tensor()
        return whole

    @contextmanager
    def looking(self, model: nn.Module) -> Iterator[None]:
        with super().looking(model):
            yield
        model.reshard()  # type: ignore[operator]

    def save(
        self,
        folder: Path,
        model: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        state: dict[str, Any],
        besides: dict[str, Tensor],
    ) -> None:
        from vitral.training.runs.sharded_checkpoint import save_sharded

        save_sharded(folder, model, optimizers, state, besides, leads=self.leads)
        self._wait()

    def restore(
        self, saved: Checkpoint, model: nn.Module, optimizers: list[torch.optim.Optimizer]
    ) -> dict[str, Tensor]:
        from vitral.training.runs.sharded_checkpoint import restore_sharded

        return restore_sharded(saved, model, optimizers)

    def whole(self, model: nn.Module) -> nn.Module | None:
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        weights = get_model_state_dict(model, options=options)  # empty but for the leader
        if not self.leads:
            return None
        whole: nn.Module = self._form(model.config)
        whole.load_state_dict(weights)
        return whole


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    """The layers of all the model's stacks."""
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            yield from module


def orthogonalise_shards(x_NRC: Any, products: torch.dtype | None = None) -> Tensor:
    """`orthogonal.orthogonalise` where each process has some rows of every matrix.

    They are exchanged so that each process has some matrices whole, and back again: every matrix is
    orthogonalised once, by one process.
    """
    from torch.distributed.tensor import DTensor, Shard

    from vitral.training.optimization.orthogonal import orthogonalise

    whole = _exchanged(x_NRC, [Shard(0)])
    turned = DTensor.from_local(
        orthogonalise(whole.to_local(), products=products),
        x_NRC.device_mesh,
        [Shard(0)],
        run_check=False,
        shape=x_NRC.shape,
        stride=x_NRC.stride(),
    )
    exchanged: Tensor = _exchanged(turned, x_NRC.placements)
    return exchanged


def _exchanged(x: Any, placements: Any) -> Any:
    """A tensor cut up in another way."""
    from torch.distributed.tensor import Replicate

    if x.device_mesh.device_type == "cpu":  # gloo cannot exchange parts; PyTorch would warn of it
        x = x.redistribute(placements=[Replicate()])
    return x.redistribute(placements=placements)
