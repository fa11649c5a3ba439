"""The command line: `vitral`, one file per command.

`main` is what the installed program calls. It answers `--version` before anything else is
imported, so that it takes no longer than Python's own start.
"""

import sys


def main() -> None:
    """Run the program on sys.argv, and end the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from vitral import __version__

        print(f"vitral {__version__}")
        return
    from vitral.cli.program import run

    sys.exit(run(sys.argv[1:]))
