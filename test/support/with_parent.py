"""Runs a module as `python -m` does, and ends with the process that started it, however that ended.

The parent holds the other end of standard input and writes nothing to it. When it is gone, killed or not, the end of
that input comes. The module is asked to end as Ctrl-C or a service manager would ask it, so that it ends what it has
started; if it has not after some seconds, it is ended.
"""

import os
import runpy
import signal
import sys
import threading
import time

SECONDS_TO_END = 5


def follow_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_END)
    os._exit(1)


module = sys.argv[1]
del sys.argv[0]
threading.Thread(target=follow_parent, daemon=True).start()
runpy.run_module(module, run_name="__main__", alter_sys=True)
