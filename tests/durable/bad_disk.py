# SPDX-License-Identifier: MIT
"""Disks that fail, for a daemon that does not know: the preloaded ones, and small ones that fill."""

import errno
import mmap
import os
import struct
import subprocess
from random import Random
from typing import Dict, Optional

from harness import STREAMD
from stored import FILES

PRELOAD = os.path.join(os.path.dirname(STREAMD), "durable", "fault_preload.so")

WRITE, SYNC, TRUNCATE = 1, 2, 4
SECTOR = 512
EVERY = WRITE | SYNC | TRUNCATE
FOR_EVER = (1 << 63) - 1

# In the order of fault_preload.c's struct control.
FIELDS = ("which", "error", "from", "upto", "partly", "sync_us", "wall_s", "calls", "failures")


def preloaded(**variables: str) -> Dict[str, str]:
    """The environment in which the daemon loads it. Sanitizers want to come first, and may not."""
    return {
        "LD_PRELOAD": PRELOAD,
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        **variables,
    }


class BadDisk:
    """Calls on files below `data` fail when told to."""

    def __init__(self, folder: str, data: str) -> None:
        self.path = os.path.join(folder, "control")
        self.data = data
        with open(self.path, "wb") as file:
            file.write(b"\0" * mmap.PAGESIZE)
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def variables(self, shadow: Optional[str] = None) -> Dict[str, str]:
        more = {"FAULT_SHADOW": shadow} if shadow else {}
        return preloaded(FAULT_CONTROL=self.path, FAULT_DIR=self.data, **more)

    def close(self) -> None:
        self.memory.close()

    def _set(self, name: str, number: int) -> None:
        struct.pack_into("<Q", self.memory, 8 * FIELDS.index(name), number)

    def _get(self, name: str) -> int:
        (number,) = struct.unpack_from("<Q", self.memory, 8 * FIELDS.index(name))
        return int(number)

    def fail(
        self,
        which: int,
        first: int = 1,
        last: int = FOR_EVER,
        error: int = errno.EIO,
        partly: bool = False,
    ) -> None:
        """From now on, those calls from the first to the last of these kinds."""
        self._set("error", 0)
        self._set("which", which)
        self._set("from", first)
        self._set("upto", last)
        self._set("partly", partly)
        self._set("calls", 0)
        self._set("failures", 0)
        self._set("error", error)

    def mend(self) -> None:
        self._set("error", 0)

    def slow(self, seconds: float) -> None:
        """What every sync takes longer."""
        self._set("sync_us", int(seconds * 1e6))

    def set_clock(self, ahead_s: int) -> None:
        """The wall clock, from now on."""
        self._set("wall_s", ahead_s % (1 << 64))

    def failures(self) -> int:
        return self._get("failures")

    def calls(self) -> int:
        return self._get("calls")


class SmallDisk:
    """A tmpfs of so many bytes."""

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        os.makedirs(path)
        self._mount("size=%d,mode=700" % size)

    def _mount(self, options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path]
        subprocess.run(command, check=True, timeout=10, stderr=subprocess.DEVNULL)

    def grow(self, size: int) -> None:
        self._mount("remount,size=%d" % size)

    def free(self) -> int:
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_bsize

    def fill(self) -> None:
        """To the last byte."""
        with open(os.path.join(self.path, "ballast"), "ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def relieve(self) -> None:
        os.remove(os.path.join(self.path, "ballast"))

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.path], check=False, timeout=10)


def lose_power(data: str, shadow: str, random: Random) -> None:
    """What is left of a killed daemon's files: of each page what was synced last, or what came
    later, as it happens; a file may have grown since or not."""
    for name in FILES:
        path = os.path.join(data, name)
        synced = _bytes(os.path.join(shadow, name))
        newest = _bytes(path)
        length = random.choice((len(synced), len(newest)))
        left = bytearray(synced[:length].ljust(length, b"\0"))
        for at in range(0, length, SECTOR):
            if random.random() < 0.5:
                end = min(at + SECTOR, length, len(newest))
                left[at:end] = newest[at:end]
        with open(path, "wb") as file:
            file.write(left)


def _bytes(path: str) -> bytes:
    """Nothing of a file that is not there, or was never synced."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
