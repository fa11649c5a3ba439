"""Processes that work together in tests, as torchrun would have started them.

They stay for many tasks: most of a process's time is spent starting it.
"""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from vitral.errors import VitralError


class Failed:
    """What a process answers whose task raised an error."""

    def __init__(self, error: BaseException) -> None:
        self.key = error.key if isinstance(error, VitralError) else None
        self.text = "".join(traceback.format_exception(error))

    def __repr__(self) -> str:
        return self.text


class Processes:
    """Up to so many processes, numbered from 0; `mortal` ones end after an error, as a program
    does."""

    def __init__(self, number: int, *, mortal: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, mortal), daemon=True)
            process.start()
            theirs.close()  # so that its end is noticed
            self._lines.append(ours)
            self._processes.append(process)

    def run(self, size: int, task: Callable[..., Any], *args: Any) -> list[Any]:
        """What `task(*args)` gives in each of the first `size` processes."""
        self.start(size, task, *args)
        return [self.answer(rank) for rank in range(size)]

    def start(self, size: int, task: Callable[..., Any], *args: Any) -> None:
        """Have the first `size` processes do `task(*args)`."""
        port = str(_free_port())
        for rank, line in enumerate(self._lines[:size]):
            place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
            place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            line.send((place, task, args))

    def answer(self, rank: int) -> Any:
        """What a process gives; `Failed` where it raised an error, None where it died."""
        try:
            return self._lines[rank].recv()
        except EOFError:
            return None

    def all(self, size: int, task: Callable[..., Any], *args: Any) -> Any:
        """What the first of them gives, where none may fail."""
        answers = self.run(size, task, *args)
        for answer in answers:
            assert not isinstance(answer, Failed), answer
        return answers[0]

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        for line in self._lines:
            line.close()


def _work(line: Connection, mortal: bool) -> None:
    failed = False
    while not (failed and mortal):
        place, task, args = line.recv()
        os.environ.update(place)
        try:
            answer = task(*args)
        except BaseException as error:
            answer, failed = Failed(error), True
        line.send(answer)


def _free_port() -> int:
    with socket.socket() as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        port: int = open_socket.getsockname()[1]
        return port
