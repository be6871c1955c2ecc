# SPDX-License-Identifier: MIT
"""Once a second: what the training's processes use of the machine.

A thread of its own reads /proc and the GPUs' driver, which may hang. The newest sample goes along
with the next `progress` line the training logs, once; there are no lines that the training did not
log, so nothing is throttled, stored or judged that would not have been. `log()` knows nothing of it.
"""

import ctypes
import logging
import os
import shutil
import subprocess
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional

log = logging.getLogger("streamd")

EVERY_S = 1.0
#: Starting nvidia-smi costs a good part of a second of somebody's processor.
SMI_EVERY = 10
SMI_TIMEOUT_S = 5.0
PROCESSES_MAX = 512
MB = 1024.0 * 1024.0

Sample = Dict[str, float]


def wanted(system: bool) -> bool:
    """`system=False` and $STREAMD_NO_SYSTEM turn it off."""
    return bool(system) and os.environ.get("STREAMD_NO_SYSTEM", "0") in ("", "0")


class Tree(NamedTuple):
    """A process and all it has started. What they share counts for each."""

    pids: List[int]
    rss_bytes: int
    cpu_s: float


def read_tree(root: int) -> Tree:
    """From /proc; raises OSError when the root is gone or there is no /proc."""
    pids, rss, ticks = [root], 0, 0
    at = 0
    while at < len(pids):
        try:
            stat = _read(f"/proc/{pids[at]}/stat")
            fields = stat[stat.rindex(")") + 2 :].split()
            ticks += int(fields[11]) + int(fields[12])
            rss += int(fields[21])
            pids.extend(_children(pids[at])[: PROCESSES_MAX - len(pids)])
        except (OSError, ValueError):
            if at == 0:
                raise
        at += 1
    return Tree(pids, rss * os.sysconf("SC_PAGESIZE"), ticks / os.sysconf("SC_CLK_TCK"))


def _children(pid: int) -> List[int]:
    found: List[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
        except OSError:
            continue  # the thread has ended
    return found


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


class Device(NamedTuple):
    """One GPU; memory in MB, utilisation in per cent."""

    used_mb: float
    total_mb: float
    utilisation: float


def gpu_metrics(devices: Iterable[Device]) -> Sample:
    """Of the fullest device, and of all on average."""
    devices = [device for device in devices if device.total_mb > 0]
    if not devices:
        return {}
    fullest = max(devices, key=lambda device: device.used_mb / device.total_mb)
    busy = sum(device.utilisation for device in devices) / len(devices)
    return {
        "gpu_memory_mb": fullest.used_mb,
        "gpu_memory_total_mb": fullest.total_mb,
        "gpu_util": busy,
    }


def is_visible(index: int) -> bool:
    """Does CUDA_VISIBLE_DEVICES name this index? Names other than numbers count as unset."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(" ", "").split(",")
    if not all(name.isdigit() for name in names):
        return True
    return str(index) in names


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Utilisation(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint) for name in ("gpu", "memory")]


class _Process(ctypes.Structure):
    _fields_ = [
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    ]


class Nvml:
    """NVIDIA's library, if it is there; raises OSError or AttributeError when it does not do."""

    def __init__(self, library: str = "libnvidia-ml.so.1") -> None:
        self._nvml = ctypes.CDLL(library)
        count = ctypes.c_uint()
        if self._nvml.nvmlInit_v2() or self._nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)):
            raise OSError("NVML does not work")
        self._devices = [self._handle(index) for index in range(count.value)]

    def _handle(self, index: int) -> ctypes.c_void_p:
        device = ctypes.c_void_p()
        self._nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device))
        return device

    def read(self, pids: List[int]) -> Sample:
        """The devices those processes are on; else those that are visible."""
        ours = [device for device in self._devices if self._runs_one_of(device, pids)]
        if not ours:
            ours = [device for i, device in enumerate(self._devices) if is_visible(i)]
        return gpu_metrics(map(self._device, ours))

    def _runs_one_of(self, device: ctypes.c_void_p, pids: List[int]) -> bool:
        processes = (_Process * 256)()
        count = ctypes.c_uint(256)
        ask = getattr(self._nvml, "nvmlDeviceGetComputeRunningProcesses_v3", None)
        if ask is None or ask(device, ctypes.byref(count), processes):
            return False
        return any(processes[i].pid in pids for i in range(count.value))

    def _device(self, device: ctypes.c_void_p) -> Device:
        memory, busy = _Memory(), _Utilisation()
        if self._nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
            return Device(0, 0, 0)
        self._nvml.nvmlDeviceGetUtilizationRates(device, ctypes.byref(busy))
        return Device(memory.used / MB, memory.total / MB, busy.gpu)


class Smi:
    """The program `nvidia-smi`, asked now and then where the library does not do."""

    QUERY = ("--query-gpu=memory.used,memory.total,utilization.gpu", "--format=csv,noheader,nounits")

    def __init__(self, program: str) -> None:
        self._program = program
        self._turn = 0

    def read(self, _pids: List[int]) -> Sample:
        """What it says each SMI_EVERY times."""
        self._turn += 1
        if self._turn % SMI_EVERY != 1:
            return {}
        out = subprocess.run(
            [self._program, *self.QUERY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SMI_TIMEOUT_S,
            check=True,
        ).stdout.decode("ascii", "replace")
        rows = [line.split(",") for line in out.splitlines()]
        return gpu_metrics(
            Device(*map(float, row)) for i, row in enumerate(rows) if is_visible(i)
        )


def find_gpus() -> Optional[Any]:
    """NVML, else nvidia-smi, else None."""
    try:
        return Nvml()
    except (OSError, AttributeError):
        program = shutil.which("nvidia-smi")
        return Smi(program) if program else None


class Sampler:
    """Owns its thread, which nobody waits for."""

    def __init__(
        self,
        every_s: float = EVERY_S,
        find: Callable[[], Optional[Any]] = find_gpus,
    ) -> None:
        self._every_s = every_s
        self._find = find
        self._ending = threading.Event()
        self._sample: Sample = {}
        self._cpu_s = 0.0
        self._at = 0.0

    def start(self) -> None:
        """Begin; the first sample is there after the second reading."""
        threading.Thread(target=self._run, name="streamd-system", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end when it next wakes."""
        self._ending.set()

    def take(self) -> Sample:
        """The newest sample, once; {} when it was taken already."""
        sample, self._sample = self._sample, {}
        return sample

    def _run(self) -> None:
        try:
            gpus = self._find()
            pid = os.getpid()
            while True:
                self._sample = self._read(pid, gpus)
                if self._ending.wait(self._every_s):
                    return
        except Exception as error:  # no /proc, a driver that has gone: the training goes on
            log.debug("no samples of the machine: %r", error)

    def _read(self, pid: int, gpus: Optional[Any]) -> Sample:
        tree = read_tree(pid)
        now = time.monotonic()
        first, passed = self._at == 0.0, now - self._at
        used = max(0.0, tree.cpu_s - self._cpu_s)  # less when a process has ended
        self._at, self._cpu_s = now, tree.cpu_s
        sample = {"rss_mb": tree.rss_bytes / MB, "cpu_percent": 100 * used / max(passed, 1e-9)}
        if gpus is not None:
            sample.update(gpus.read(tree.pids))
        return {} if first else sample
