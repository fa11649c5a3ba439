"""The commands, put together; and how the program ends.

Commands are named here and imported when they are called. Exit codes: 0 done, 1 checked and
found wrong (`verify`), 2 invalid input (one line on stderr says what to do), 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from vitral.cli.help_format import HelpFormatter
from vitral.cli.mistakes import mistake_of, unforeseen
from vitral.errors import VitralError
from vitral.messages import message

COMMANDS = (
    "studio",
    "models",
    "train",
    "tokens",
    "tokenizer",
    "trace",
    "verify",
    "heads",
    "ablate",
    "generate",
    "evaluate",
    "plot",
    "lessons",
)
GROUPS = {"tokenizer": ("train", "compare"), "lessons": ("list", "new", "check", "export")}
"""Commands with subcommands."""

ALONE = {"lessons": "list"}
"""The subcommand that runs if none is given."""

_HELP_FLAGS = ("--help", "-h")


def run(tokens: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code."""
    _replace_unprintable()
    tokens = list(tokens)
    if not tokens or (tokens[0].startswith("-") and tokens[0] not in _HELP_FLAGS):
        tokens.insert(0, "studio")
    if tokens[0] in ALONE and (len(tokens) == 1 or tokens[1] == "--lessons"):
        tokens.insert(1, ALONE[tokens[0]])
    try:
        code = program().__call__(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except VitralError as error:
        return _say(error)
    except CycloptsError as error:
        return _say(mistake_of(error, GROUPS.get(tokens[0], COMMANDS)))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # of a library, or a mistake of ours
        if os.environ.get("VITRAL_TRACEBACK"):
            raise
        return _say(unforeseen(error))
    return code if isinstance(code, int) else 0


def program() -> App:
    """The command line as cyclopts knows it, its words in the user's language."""
    app = _app("vitral", message("cli.help"), message("cli.help.usage"))
    for name in COMMANDS:
        words = message(f"cli.{name}.help"), message(f"cli.{name}.usage")
        if name not in GROUPS:
            app.command(f"vitral.cli.{name}:{name}", name=name, help=words[0], usage=words[1])
            continue
        group = _app(name, *words)
        for each in GROUPS[name]:
            group.command(
                f"vitral.cli.{name}_{each}:{each}",
                name=each,
                help=message(f"cli.{name}.{each}.help"),
                usage=message(f"cli.{name}.{each}.usage"),
            )
        app.command(group)
    return app


def _app(name: str, help: str, usage: str) -> App:
    parameters = Group(message("cli.help.parameters"))
    app = App(
        name=name,
        help=help,
        version_flags=[],
        help_flags=_HELP_FLAGS,
        default_parameter=Parameter(show_default=False),
        usage=usage,
        help_format="plaintext",
        group_commands=Group(message("cli.help.commands")),
        group_arguments=parameters,
        group_parameters=parameters,
        help_formatter=HelpFormatter(),
        suppress_keyboard_interrupt=False,
    )
    app["--help"].help = message("cli.help.flag")
    return app


def _say(error: VitralError) -> int:
    """The error as one line on stderr, or one for each mistake in a list; its exit code."""
    print("vitral: " + "\n  ".join(error.lines()), file=sys.stderr)
    return error.exit_code


def _replace_unprintable() -> None:
    """Show "?" for characters that the terminal cannot show, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
