"""What torch sees on this machine, asked once in a process of its own.

The page's process never imports torch, and a driver may say more than the installed torch can use.
Knows nothing of models.
"""

from __future__ import annotations

from multiprocessing.connection import Connection

from parley.engines.hardware import accelerators


def main(pipe: Connection) -> None:
    """Send (device, name, free bytes) of every accelerator, then end."""
    pipe.send(accelerators())
    pipe.close()
