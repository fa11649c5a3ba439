"""The lesson's experiments: what a training asks for, and what a service asks for, by formulas that
the lesson states."""

from pydantic import Field

from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import Bar, BarsPicture, Drawing

TOKENS_PER_WEIGHT = 20.0
FLOPS_PER_WEIGHT_AND_TOKEN = 6.0
TRAINING_BYTES_PER_WEIGHT = 16.0
BILLION = 1e9
TERA = 1e12


class Training(Parameters):
    """Weights in thousands of millions, the operations a second that the machine reaches (in
    millions of millions), and the price of an hour of it."""

    weights: float = Field(1.0, ge=0.1, le=20)
    speed: float = Field(400.0, ge=10, le=1000)
    price: float = Field(3.0, ge=0.1, le=20)


@experiment
def training(at: Training) -> Drawing:
    """Tokens, operations, hours, cost and memory of a training from nothing."""
    count = at.weights * BILLION
    tokens = TOKENS_PER_WEIGHT * count
    operations = FLOPS_PER_WEIGHT_AND_TOKEN * count * tokens
    hours = operations / (at.speed * TERA) / 3600
    memory = TRAINING_BYTES_PER_WEIGHT * count / BILLION
    half = FLOPS_PER_WEIGHT_AND_TOKEN * (count / 2) * (TOKENS_PER_WEIGHT * count / 2)
    return Drawing(
        values={
            "tokens": tokens / BILLION,
            "hours": hours,
            "cost": hours * at.price,
            "memory": memory,
            "half_saves": operations / half,
        },
        pictures=[
            BarsPicture(
                kind="bars",
                label="memory_parts",
                range=(0, memory),
                digits=1,
                bars=[
                    Bar(label="weights_and_gradients", value=4 * at.weights),
                    Bar(label="optimizer", value=12 * at.weights),
                    Bar(label="altogether", value=memory, marked=True),
                ],
            )
        ],
    )


class Service(Parameters):
    """Weights in thousands of millions and the bits that each is kept in."""

    weights: float = Field(8.0, ge=0.1, le=100)
    bits: int = Field(16, ge=2, le=32)


@experiment
def service(at: Service) -> Drawing:
    """How many gigabytes the weights take when the model answers."""
    size = at.weights * at.bits / 8
    bars = [
        Bar(label=f"{bits} bits", value=at.weights * bits / 8, marked=bits == at.bits)
        for bits in sorted({4, 8, 16, 32, at.bits})
    ]
    return Drawing(
        values={"size": size, "fits": size <= 8},
        pictures=[
            BarsPicture(kind="bars", label="sizes", range=(0, at.weights * 4), digits=1, bars=bars)
        ],
    )
