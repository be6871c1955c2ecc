# SPDX-License-Identifier: MIT
"""The sampler of the machine: /proc for real, the GPUs by a fake library and a fake program."""

import os
import stat
import subprocess
import tempfile
import time
import unittest
from typing import Any, Callable, List
from unittest import mock

from support import DEADLINE_S, ROOT
from streamd import system
from streamd.lines import LineWriter
from streamd.queue import Item

FAKE_NVML = os.path.join(ROOT, "tests", "clients", "c", "fake_nvml.c")


def await_sample(sampler: system.Sampler) -> system.Sample:
    """The first sample."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        sample = sampler.take()
        if sample:
            return sample
        time.sleep(0.001)
    raise AssertionError("no sample came")


class Processes(unittest.TestCase):
    """What /proc says."""

    def test_a_tree_has_children(self) -> None:
        alone = system.read_tree(os.getpid())
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
            tree = system.read_tree(os.getpid())
            self.assertEqual(tree.pids, [*alone.pids, child.pid])
            assert child.stdin
            child.stdin.close()
        self.assertGreater(alone.rss_bytes, 1_000_000)
        self.assertGreater(alone.cpu_s, 0)

    def test_a_process_that_is_gone(self) -> None:
        with self.assertRaises(OSError):
            system.read_tree(2**31 - 1)


class Gpus(unittest.TestCase):
    """What drivers say."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def read(self, pids: List[int], **environment: str) -> system.Sample:
        library = os.path.join(self.folder.name, "fake.so")
        subprocess.run(["cc", "-shared", "-fPIC", FAKE_NVML, "-o", library], check=True)
        with mock.patch.dict(os.environ, environment):
            return system.Nvml(library).read(pids)

    def test_the_library_knows_our_device(self) -> None:
        expected = {"gpu_memory_mb": 1024, "gpu_memory_total_mb": 16384, "gpu_util": 40}
        # The library reads the environment of the C world, which os.environ sets as well.
        self.assertEqual(self.read([7, 4242], FAKE_NVML_PID="4242"), expected)

    def test_else_all_that_are_visible(self) -> None:
        sample = self.read([7])
        self.assertEqual((sample["gpu_memory_mb"], sample["gpu_util"]), (2048, 60))
        sample = self.read([7], CUDA_VISIBLE_DEVICES="0")
        self.assertEqual((sample["gpu_memory_mb"], sample["gpu_util"]), (1024, 40))

    def test_a_library_that_does_not_do(self) -> None:
        for library in ("libnvidia-ml-that-is-not-there.so", "libc.so.6"):
            with self.assertRaises((OSError, AttributeError)):
                system.Nvml(library)

    def test_the_program_is_asked_now_and_then(self) -> None:
        program = os.path.join(self.folder.name, "nvidia-smi")
        with open(program, "w", encoding="ascii") as file:
            file.write('#!/bin/sh\necho "$@" >&2\necho "1000, 16000, 30"\necho "4000, 8000, 50"\n')
        os.chmod(program, stat.S_IRWXU)
        smi = system.Smi(program)
        first = smi.read([])
        self.assertEqual(
            first, {"gpu_memory_mb": 4000, "gpu_memory_total_mb": 8000, "gpu_util": 40}
        )
        later = [smi.read([]) for _ in range(system.SMI_EVERY)]
        self.assertEqual(later, [{}] * (system.SMI_EVERY - 1) + [first])

    def test_the_program_where_the_library_is_missing(self) -> None:
        with mock.patch.object(system, "Nvml", side_effect=OSError):
            with mock.patch.object(system.shutil, "which", return_value="/x/nvidia-smi"):
                self.assertIsInstance(system.find_gpus(), system.Smi)
            with mock.patch.object(system.shutil, "which", return_value=None):
                self.assertIsNone(system.find_gpus())


class Samples(unittest.TestCase):
    """What goes along with the training's lines."""

    def test_a_sample_is_taken_once(self) -> None:
        sampler = system.Sampler(0.005, lambda: None)
        sampler.start()
        sample = await_sample(sampler)
        self.assertEqual(sorted(sample), ["cpu_percent", "rss_mb"])
        sampler.stop()

    def test_a_driver_that_fails_ends_the_samples_only(self) -> None:
        class Broken:
            """A driver that has gone."""

            def read(self, pids: List[int]) -> Any:
                raise OSError("gone")

        sampler = system.Sampler(0.001, Broken)
        sampler._run()  # comes back
        self.assertEqual(sampler.take(), {})

    def written(self, payload: Any, sample: Callable[[], Any], kind: str = "progress") -> bytes:
        line = LineWriter("r", sample=sample).write(Item(0, kind, payload, 1, 5.0))
        return line.tail

    def test_it_goes_along_and_the_trainings_own_value_counts(self) -> None:
        sample = {"rss_mb": 7.5, "gpu_util": 3}
        self.assertEqual(
            self.written({"loss": 1, "rss_mb": 2}, lambda: sample),
            b',"metrics":{"rss_mb":2,"gpu_util":3,"timestamp":5.0,"loss":1,"step":1}}',
        )
        self.assertNotIn(b"gpu_util", self.written({"loss": 1}, lambda: sample, "epoch"))

    def test_it_takes_no_line_with_it(self) -> None:
        longest = {str(i) + "m" * 4000: 1 for i in range(15)}
        longest["n" * 3600] = 1
        without = self.written(longest, lambda: {})
        self.assertEqual(self.written(longest, lambda: {"x" * 4000: 1.0}), without)

    def test_it_can_be_turned_off(self) -> None:
        with mock.patch.dict(os.environ, STREAMD_NO_SYSTEM="1"):
            self.assertFalse(system.wanted(True))
        with mock.patch.dict(os.environ, STREAMD_NO_SYSTEM="0"):
            self.assertTrue(system.wanted(True))
            self.assertFalse(system.wanted(False))
