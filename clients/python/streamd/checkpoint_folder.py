# SPDX-License-Identifier: MIT
"""Checkpoints as they lie on the disk: written whole or not at all, and proved when read.

    FOLDER/                     of one run; locked (flock) by the process that saves there
      000007-step700/           the 7th that was saved here, after step 700
        manifest.json           {"format":1,"step":700,"reason":"interval","savedAt":1764302400.5,
                                 "files":[{"name":"payload","bytes":5321,"sha256":"9f86..."}]}
        payload                 what the trainer's `save` returned or wrote, and whatever it wrote
      000008-step800.new/       beside it; one that is being written, or that a kill has left

Order is that of saving, not of the steps, since a training may go back: then the newest is where it
stands. A number is never used twice, so nothing is ever written over. A checkpoint gets its name
after every file, the manifest and the folder were synced, and the hash of each file is held against
the manifest before anybody is given it. Hashes find a disk's mistakes, not a forger's.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

try:
    import fcntl
except ImportError:  # no POSIX: no lock
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_MAX_BYTES = 1 << 20
PAYLOAD = "payload"
UNFINISHED = ".new"
CHUNK_BYTES = 1 << 20
NAME = re.compile(r"(\d{6,12})-step(\d{1,18})")

#: `save(path)`: returns bytes, or writes to `path` (a file, a folder, or with an ending added).
Save = Callable[[str], Any]


class Corrupt(Exception):
    """This is not what was saved; the text says why."""


class Checkpoint(NamedTuple):
    """One that was whole when it was looked at."""

    step: int
    #: The folder that holds it.
    folder: str
    #: What to load: the payload, or the only file there is, whatever its name (np.save adds one).
    path: str
    bytes: int

    def read(self) -> bytes:
        """The payload."""
        with open(self.path, "rb") as file:
            return file.read()


def lock(folder: str) -> int:
    """Make the folder and take its lock; the descriptor that holds it. Raises OSError."""
    os.makedirs(folder, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY)
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise BlockingIOError("another process saves there") from None
    except BaseException:
        os.close(fd)
        raise
    return fd


def names(folder: str) -> List[str]:
    """All checkpoints there, oldest first, unproved."""
    try:
        found = [name for name in os.listdir(folder) if NAME.fullmatch(name)]
    except OSError:
        return []
    return sorted(found, key=_number)


def write(folder: str, step: int, reason: str, save: Save) -> Checkpoint:
    """Save one more. Raises what `save` raises, OSError, or ValueError when nothing was written."""
    last = names(folder)[-1:]
    number = _number(last[0]) + 1 if last else 1
    name = f"{number:06d}-step{step}"
    if not NAME.fullmatch(name):
        raise ValueError(f"step {step} is none")
    final = os.path.join(folder, name)
    working = final + UNFINISHED
    shutil.rmtree(working, ignore_errors=True)
    os.mkdir(working)
    try:
        _fill(working, save)
        manifest = _manifest(working, step, reason)
        _write_file(os.path.join(working, MANIFEST), json.dumps(manifest).encode("ascii"))
        _sync_folders(working)
        os.rename(working, final)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise
    _sync(folder)
    return _checkpoint(final, step, manifest["files"])


def read(folder: str, name: str) -> Checkpoint:
    """Prove a checkpoint. Raises Corrupt, also for what the disk does not give."""
    path = os.path.join(folder, name)
    try:
        step, files = _read_manifest(path)
        if step != _step(name):
            raise Corrupt("its manifest is of another step")
        for file, size, digest in files:
            if _digest(os.path.join(path, file)) != (size, digest):
                raise Corrupt(f"{file} is not what was saved")
    except OSError as error:
        raise Corrupt(f"{os.path.basename(str(error.filename))}: {error.strerror}") from error
    return _checkpoint(path, step, [{"name": name, "bytes": size} for name, size, _ in files])


def remove(folder: str, name: str) -> None:
    """Forget a checkpoint: first its name, so that half of one is never taken for one."""
    path = os.path.join(folder, name)
    if not name.endswith(UNFINISHED):
        with contextlib.suppress(OSError):
            os.rename(path, path + UNFINISHED)
        path += UNFINISHED
    shutil.rmtree(path, ignore_errors=True)


def unfinished(folder: str) -> List[str]:
    """What kills have left. Only who holds the lock may ask: another's may be at work."""
    with contextlib.suppress(OSError):
        return [name for name in os.listdir(folder) if _is_unfinished(name)]
    return []


def _is_unfinished(name: str) -> bool:
    return name.endswith(UNFINISHED) and NAME.fullmatch(name[: -len(UNFINISHED)]) is not None


def _number(name: str) -> int:
    return int(name.split("-", 1)[0])


def _step(name: str) -> int:
    return int(name.split("-step", 1)[1])


def _fill(working: str, save: Save) -> None:
    path = os.path.join(working, PAYLOAD)
    result = save(path)
    if isinstance(result, (bytes, bytearray, memoryview)):
        _write_file(path, result)


def _manifest(working: str, step: int, reason: str) -> Dict[str, Any]:
    files = []
    for name in _files(working):
        size, digest = _digest(os.path.join(working, name), sync=True)
        files.append({"name": name, "bytes": size, "sha256": digest})
    if not files:
        raise ValueError("save() neither returned bytes nor wrote a file")
    about = {"format": FORMAT, "step": step, "reason": reason, "savedAt": time.time()}
    return {**about, "files": files}


def _files(working: str) -> Iterator[str]:
    """Every file below, as the manifest names it, in a steady order."""
    for parent, folders, files in os.walk(working):
        folders.sort()
        for file in sorted(files):
            name = os.path.relpath(os.path.join(parent, file), working)
            if name == MANIFEST:
                raise ValueError(f"save() wrote {MANIFEST}, a name that is ours")
            yield name


def _read_manifest(path: str) -> Tuple[int, List[Tuple[str, int, str]]]:
    with open(os.path.join(path, MANIFEST), "rb") as file:
        text = file.read(MANIFEST_MAX_BYTES)
    try:
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise Corrupt(f"its format is {manifest['format']!r}, this client knows {FORMAT}")
        files = [(str(f["name"]), int(f["bytes"]), str(f["sha256"])) for f in manifest["files"]]
        step = int(manifest["step"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"its {MANIFEST} is damaged: {error!r}") from error
    if not files or any(os.path.isabs(f) or ".." in f.split(os.sep) for f, _, _ in files):
        raise Corrupt(f"its {MANIFEST} names no files of its own")
    return step, files


def _checkpoint(path: str, step: int, files: List[Dict[str, Any]]) -> Checkpoint:
    only = files[0]["name"] if len(files) == 1 else PAYLOAD
    size = sum(file["bytes"] for file in files)
    return Checkpoint(step, path, os.path.join(path, only), size)


def _digest(path: str, sync: bool = False) -> Tuple[int, str]:
    """Size and SHA-256 of a file; with `sync` it is on the disk, too."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb") as file:
        if sync:
            os.fsync(file.fileno())
        while True:
            chunk = file.read(CHUNK_BYTES)
            if not chunk:
                return size, digest.hexdigest()
            digest.update(chunk)
            size += len(chunk)


def _write_file(path: str, data: Any) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folders(working: str) -> None:
    for parent, _, _ in os.walk(working):
        _sync(parent)


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
