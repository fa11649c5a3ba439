"""Which device a run computes on."""

import torch

from vitral.errors import VitralError

KNOWN = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> str:
    """The device called `name`; for "auto" the fastest available: an NVIDIA or AMD GPU
    (cuda), Apple's (mps), otherwise the CPU.

    Raises VitralError `device_unknown`, or `device_absent` if this machine does not have it.
    """
    kind, _, number = name.partition(":")
    if kind not in KNOWN or (number and not (kind == "cuda" and number.isdigit())):
        raise VitralError("device_unknown", device=name, known=", ".join(KNOWN))
    there = _there()
    if kind == "auto":
        return there[0]
    if kind not in there or (number and int(number) >= torch.cuda.device_count()):
        raise VitralError("device_absent", device=name, there=", ".join(there))
    return name


def _there() -> list[str]:
    """The devices of this machine, the fastest first."""
    has = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    return [device for device, present in has.items() if present]
