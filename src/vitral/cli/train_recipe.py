"""The recipe of `vitral train`: a file, the run's own, a plain one, or chosen for `--minutes`."""

from collections.abc import Sequence
from pathlib import Path

from vitral.errors import VitralError
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_file import Setting, read_recipe
from vitral.training.recipes.shapes import TRANSLATORS
from vitral.training.runs.run_folder import Asked, RunFolder

MINUTES = 10.0
"""The default length of a run."""


def settings_of(
    texts: Sequence[str], *, name: str | None, minutes: float | None, steps: int | None
) -> list[Setting]:
    """The entries given on the command line. Raises `setting_unreadable`, `option_repeated`."""
    settings = [Setting.read(text) for text in texts]
    flags = {"name": name, "minutes": minutes, "steps": steps}
    settings += [
        Setting(path, value, f"--{path}") for path, value in flags.items() if value is not None
    ]
    paths = [setting.path for setting in settings]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise VitralError("option_repeated", option=f"--set {twice}")
    return settings


def recipe_for(
    folder: RunFolder,
    asked: Asked,
    settings: list[Setting],
    *,
    name: str,
    device: str,
) -> Recipe:
    """The recipe of the run in `folder` if no recipe file was given."""
    before = folder.asked()
    if folder.recipe_path.exists():
        if before is not None and before.minutes is not None and before.minutes == asked.minutes:
            settings = [each for each in settings if each.path != "minutes"]  # as it was chosen
        return read_recipe(folder.recipe_path, settings)
    start = None if asked.start is None else Path(asked.start)
    steps = next((each.value for each in settings if each.path == "steps"), None)
    if steps is not None or start is not None:
        from vitral.training.recipes.plain import plain_recipe
        from vitral.training.recipes.recipe_file import bent_to, with_settings

        plain = plain_recipe(name, asked.sources, 1000, start)
        if steps is None and not any(each.path == "minutes" for each in settings):
            settings = [*settings, Setting("minutes", MINUTES, "--minutes")]
        if start is not None:
            return with_settings(plain, settings)
        from vitral.training.preparation.fitting_tokenizer import prepare_fitting

        plain = bent_to(plain, settings)
        return prepare_fitting(plain, asked.sources, folder.out, _paths(settings))[0]
    for setting in settings:
        of_pairs = setting.path == "model.form" and setting.value in TRANSLATORS
        if setting.place.startswith("--set") and (of_pairs or setting.path == "minutes"):
            raise VitralError("setting_before_choosing", setting=setting.path)
    from vitral.training.recipes.dial import choose

    minutes = MINUTES if asked.minutes is None else asked.minutes
    said = [each for each in settings if each.path != "minutes"]
    return choose(asked.sources, minutes, folder.out, name=name, device=device, settings=said)


def _paths(settings: Sequence[Setting]) -> list[str]:
    return [each.path for each in settings]
