"""Invalid command lines, as errors of ours: one line, in the user's language."""

import inspect
from collections.abc import Sequence
from difflib import get_close_matches

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from vitral.errors import VitralError

_EXPECTED = {int: "42", float: "0.5"}
"""An example of each type that an option of ours takes, for the message."""


def mistake_of(error: CycloptsError, commands: Sequence[str]) -> VitralError:
    """What the user did that cyclopts reports as `error`."""
    match error:
        case UnknownCommandError(unused_tokens=[command, *_]):
            return VitralError("command_unknown", command=command, known=", ".join(commands))
        case UnknownOptionError():
            return _unknown_option(error)
        case CoercionError(target_type=kind) if kind is bool and error.token is not None:
            return VitralError("option_takes_no_value", option=error.token.keyword)
        case CoercionError() if error.token is not None:
            return VitralError(
                "option_value_wrong",
                option=error.token.keyword or _name(error),
                value=error.token.value,
                example=_EXPECTED.get(error.target_type or str, "…"),
            )
        case MissingArgumentError():
            return VitralError("option_without_value", option=error.keyword or _name(error))
        case RepeatArgumentError():
            return VitralError("option_repeated", option=error.token.keyword or _name(error))
        case UnusedCliTokensError(unused_tokens=[first, *_]):
            takes_text = "text" in inspect.signature(error.target or _name).parameters
            key = "text_unquoted" if takes_text else "argument_extra"
            return VitralError(key, argument=first)
    error.verbose = False
    return VitralError("command_line_wrong", reason=str(error))


def _unknown_option(error: UnknownOptionError) -> VitralError:
    option = (error.token.keyword or error.token.value).partition("=")[0]
    known = [name for argument in error.argument_collection for name in argument.names]
    close = get_close_matches(option, known, n=1)
    if close:
        return VitralError("option_unknown_close", option=option, close=close[0])
    return VitralError("option_unknown", option=option)


def _name(error: CycloptsError) -> str:
    return error.argument.name if error.argument is not None else "?"


def unforeseen(error: Exception) -> VitralError:
    """Any other exception as one line: of a disk, a path or a library."""
    if isinstance(error, UnicodeEncodeError):  # a path whose bytes are not UTF-8
        shown = str(error.object).encode(errors="replace").decode()
        return VitralError("path_not_utf8", path=shown[:200])
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = " ".join(str(reason).split())[:300]
    return VitralError("unexpected", kind=type(error).__name__, reason=reason)
