"""Train a model: `python -m vitral.training RECIPE --data FOLDER --out FOLDER`."""

import argparse
import signal
import sys
from pathlib import Path

from vitral.errors import VitralError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vitral.training", description=__doc__)
    parser.add_argument("recipe", type=Path, help="a YAML file of recipes/")
    parser.add_argument("--data", type=Path, required=True, help="a folder of UTF-8 .txt books")
    parser.add_argument("--out", type=Path, required=True, help="the run's own folder")
    parser.add_argument("--from", dest="start", type=Path, help="a model's folder to go on from")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (0: all)")
    parser.add_argument("--no-compile", action="store_true", help="do not use torch.compile")
    arguments = parser.parse_args()

    import torch

    from vitral.models.hugging_face import write
    from vitral.training.recipe import read_recipe
    from vitral.training.trainer import Trainer

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell's background ignores them
        signal.signal(stop, signal.default_int_handler)
    trainer = None
    try:
        recipe = read_recipe(arguments.recipe)
        trainer = Trainer(
            recipe,
            arguments.data,
            arguments.out,
            start=arguments.start,
            compiled=not arguments.no_compile,
        )
        trainer.run()
        write(trainer.model, trainer.tokenizer, arguments.out / "model")
    except VitralError as error:
        print(error.text(), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        if trainer is None:  # still reading and tokenizing: nothing learned is lost
            print("Stopped before the first step; the same command starts anew.", file=sys.stderr)
        else:
            trainer.save()
            step = trainer.state["step"]
            print(f"Saved at step {step}; the same command goes on.", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
