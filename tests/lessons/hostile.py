"""Two hundred programs that mean harm, or that go wrong in the ways of beginners.

Each is the code of an exercise that asks for `double(x)`; some kinds come in many variations, with
sizes and names drawn from a seed.
"""

import random
from textwrap import dedent, indent

DOUBLE = "def double(x):\n"

KINDS: dict[str, list[str]] = {
    "forks": [
        "import os\nwhile True:\n    os.fork()",
        "import os\n[os.fork() for _ in range({n})]",
        "import os\ntry:\n    os.fork()\nexcept Exception:\n    pass\nos.fork()",
        "import os\nos.posix_spawn('/bin/sh', ['sh', '-c', 'sleep {n}'], {})",
        "import subprocess\nsubprocess.Popen(['sleep', '{n}'])",
        "import _posixsubprocess",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import os\nos.system('sleep {n} &')",
        "import os\nos.popen('sleep {n}').read()",
        "import pty\npty.spawn('/bin/sh')",
    ],
    "threads": [
        "import threading\nthreading.Thread(target=print).start()",
        "import _thread\nwhile True:\n    _thread.start_new_thread(print, ())",
    ],
    "output": [
        "while True:\n    print('a' * {n})",
        "import sys\nwhile True:\n    sys.stdout.write('é' * {n})\n    sys.stdout.flush()",
        "import os\nwhile True:\n    os.write(1, b'x' * {n})",
        "import os\nwhile True:\n    os.write(2, b'x' * {n})",
        "import sys\nwhile True:\n    sys.stderr.write('z' * {n})",
    ],
    "files": [
        "open('/tmp/vitral-{name}', 'w').write('x')",
        "open('{name}', 'a')",
        "open('/etc/passwd').read()",
        "import pathlib\npathlib.Path.home().joinpath('{name}').write_text('x')",
        "import os\nos.remove('/tmp/{name}')",
        "import os\nos.mkdir('{name}')",
        "import os\nos.open('/dev/shm/{name}', os.O_CREAT | os.O_RDWR)",
        "import os\nos.symlink('/etc/passwd', '{name}')",
        "import shutil\nshutil.rmtree('/tmp/{name}')",
        "import tempfile\ntempfile.mkdtemp()",
        "import os\nos.chmod('/tmp', 0)",
        "import os\nprint(os.listdir('/root'))\nos.listdir('/home')\nos.scandir('/etc')",
        "import io\nio.open('/proc/self/environ').read()",
    ],
    "network": [
        "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}/')",
        "import _socket\n_socket.socket()",
        "import http.client\nhttp.client.HTTPConnection('localhost', {port}).request('GET', '/')",
        "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', {port}))",
    ],
    "memory": [
        "x = 'a' * (10 ** 12)",
        "x = [0] * (2 ** {power})",
        "x = []\nwhile True:\n    x.append(bytearray(50_000_000))",
        "x = bytearray(2 ** {power})",
    ],
    "recursion": [
        "def f(n):\n    return f(n + 1)\nf(0)",
        "class A:\n    def __getattr__(self, name):\n        return getattr(self, name)\nA().b",
        "x = []\nfor _ in range(10 ** 5):\n    x = [x]\nrepr(x)",
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n):\n    return f(n + 1)\nf(0)",
        "eval('(' * {n} + ')' * {n})",
    ],
    "ends": [
        "import os\nos._exit({small})",
        "import sys\nsys.exit({small})",
        "raise SystemExit",
        "import os\nos.kill(os.getpid(), 9)",
        "import os\nos.abort()",
        "raise KeyboardInterrupt",
        "import os\nos.kill(os.getppid(), 15)",
        "import os\nos.killpg(0, 9)",
        "exit()",
        "raise BaseException('{name}')",
        "raise GeneratorExit",
    ],
    "signals": [
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
        "import signal\nsignal.alarm(1)\nwhile True: pass",
        "import signal\nsignal.raise_signal(signal.SIGSEGV)",
    ],
    "escapes": [
        "import ctypes\nctypes.string_at(0)",
        "import gc\n[o.clear() for o in gc.get_objects() if isinstance(o, dict)]",
        "import sys\nsys.addaudithook(lambda *a: None)",
        "import sys\nsys.settrace(lambda *a: None)",
        "import os\nos.execv('/bin/sh', ['sh', '-c', 'id'])",
        "__import__('os').system('id')",
        "().__class__.__base__.__subclasses__()[{small}].__init__.__globals__['system']('id')",
        "import builtins\nbuiltins.open = None\nbuiltins.str = None\nbuiltins.isinstance = None\n",
        "import mmap\nmmap.mmap(-1, {n})",
        "import importlib\nimportlib.import_module('socket')",
    ],
}
"""By kind: what is done as the module is run, before any function is there. A program that has
nothing else to it ends without the function."""

LIES: list[str] = [
    "class Same(float):\n    def __eq__(self, other): return True\n"
    "    def __ne__(self, other): return False\n"
    "def double(x): return Same(0)",
    "class Same:\n    def __eq__(self, other): return True\n    def __abs__(self): return 0\n"
    "    def __sub__(self, other): return 0\n    __rsub__ = __sub__\ndef double(x): return Same()",
    "class Liar(int):\n    def __sub__(self, other): return 0\n    def __abs__(self): return 0\n"
    "def double(x): return Liar(x)",
    "class Text(str): pass\ndef double(x): return Text('2')",
    "class Rows(list):\n    def __eq__(self, other): return True\ndef double(x): return Rows([x])",
    "def double(x): return float('nan')",
    "def double(x): return float('inf')",
    "def double(x): return None",
    "def double(x): return True",
    "def double(x): return [2 * x]",
    "def double(x): return {'value': 2 * x}",
    "def double(x): return lambda: x",
    "def double(x): return double",
    "def double(x):\n    yield 2 * x",
    "def double(x): return 10 ** 100000",
    "x = []\nx.append(x)\ndef double(_): return x",
    "def double(x): return 'é' * 10 ** 7",
    "import json\njson.dumps = lambda *a, **k: '{\"results\": []}'\ndef double(x): return 0",
    "import os\nfor n in range(3, 64):\n    try:\n        os.write(n, b'{\"results\": []}')\n"
    "    except OSError:\n        pass\ndef double(x): return 0",
    "import os\nfor n in range(3, 64):\n    try:\n"
    '        os.write(n, b\'{"results": [{"value": \')\n'
    "    except OSError:\n        pass\nos._exit(0)",
    "import os\nfor n in range(3, 64):\n    try:\n        os.close(n)\n"
    "    except OSError:\n        pass\n"
    "def double(x): return 2 * x",
    "import sys\nsys.modules.clear()\ndef double(x): return 0",
    'print(\'{"results": [{"value": 4}]}\')\ndef double(x): return 0',
]
"""What gives an answer, and not the right one."""


def programs() -> list[tuple[str, str]]:
    """Kind and code of two hundred programs."""
    dice = random.Random(13)
    found = [("lies", code) for code in LIES]
    moments = ("{body}", "def double(x):\n{inside}\n    return 2 * x")
    while len(found) < 200:
        for kind, bodies in KINDS.items():
            for body in bodies:
                code = body
                for name, value in _drawn(dice).items():
                    code = code.replace("{" + name + "}", value)
                moment = moments[len(found) % 2]
                written = moment.replace("{body}", code)
                found.append((kind, written.replace("{inside}", indent(dedent(code), "    "))))
    return found[:200]


def _drawn(dice: random.Random) -> dict[str, str]:
    return {
        "n": str(dice.randint(1000, 100_000)),
        "small": str(dice.randint(0, 120)),
        "power": str(dice.randint(33, 44)),
        "port": str(dice.randint(1024, 60000)),
        "name": f"prueba{dice.randint(0, 10**9)}",
    }
