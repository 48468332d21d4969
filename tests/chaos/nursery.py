"""A parent that has everything imported and forks a watcher at each line it reads.

Two hundred starts of Python would cost more than the lives they are for. `CONFIG` is the only
argument; each answer is the child's process id. The children are killed, and reaped, from here.
"""

import os
import sys
from pathlib import Path

from tap.clock import SystemClock
from tap.config import load_config
from tap.witness.live import watch


def main() -> None:
    """Fork at "go", wait for the child at "wait": answers its exit status."""
    config = load_config(Path(sys.argv[1]))
    child = 0
    for line in sys.stdin:
        if line.strip() == "go":
            child = os.fork()
            if child == 0:
                watch(config, clock=SystemClock())
                os._exit(0)
            print(child, flush=True)
        else:
            print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
