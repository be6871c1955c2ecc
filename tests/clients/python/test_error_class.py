# SPDX-License-Identifier: MIT
"""streamd/error_class.py: errors as frameworks and systems word them, and their classes."""

import json
import os
import pickle
import socket
import unittest
from typing import Any

from support import CLIENT

from streamd.encode import TEXT_MAX
from streamd.error_class import (
    CLASSES,
    UNKNOWN,
    error_class,
    error_report,
    failure_text,
    suggestion,
)


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


class Hostile(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


KNOWN = {
    "cuda_oom": (
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.79 GiB total)"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.05 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes."),
        RuntimeError("OOM when allocating tensor with shape[64,512]"),
        OutOfMemoryError("whatever it says"),
        "torch.cuda.OutOfMemoryError: HIP out of memory.",
    ),
    "checkpoint_failure": (
        RuntimeError('Error(s) in loading state_dict for Net: Missing key(s): "fc.bias"'),
        RuntimeError("PytorchStreamReader failed reading zip archive"),
        "the checkpoint is truncated",
    ),
    "device_failure": (
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    ),
    "network_failure": (
        ConnectionResetError(104, "Connection reset by peer"),
        socket.timeout("timed out"),
        socket.gaierror(-3, "Temporary failure in name resolution"),
        RuntimeError("Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7) timed out"),
        BrokenPipeError(32, "Broken pipe"),
    ),
    "resource_exhaustion": (
        OSError(28, "No space left on device"),
        OSError(24, "Too many open files"),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DataLoader worker is killed by signal: Bus error. It is possible that "
                     "dataloader's workers are out of shared memory."),
    ),  # fmt: skip
    "convergence_failure": (
        ValueError("loss is nan, stopping training"),
        RuntimeError("Function 'MulBackward0' returned nan values in its 0th output."),
        FloatingPointError("Loss became infinite or NaN at iteration=7!"),
        OverflowError("math range error"),
        "training diverged",
        "gradients are exploding: exploding gradient norm",
    ),
    "data_corruption": (
        pickle.UnpicklingError("invalid load key, '\\x00'."),
        EOFError("Ran out of input"),
        OSError("image file is truncated (3 bytes not processed)"),
        ValueError("checksum mismatch in shard 5"),
        json.JSONDecodeError("Expecting value", "", 0),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ),
    "unknown": (
        ZeroDivisionError("division by zero"),
        KeyError("loss"),
        TypeError("forward() missing 1 required positional argument"),
        FileNotFoundError(2, "No such file or directory"),
        KeyboardInterrupt(),
        Hostile(),
        "out of patience",
        "an information theory of the inference step",
        None,
        5,
    ),
}


class ErrorClassTest(unittest.TestCase):
    def test_there_are_seven_classes_and_each_has_its_errors(self) -> None:
        self.assertEqual([row.name for row in CLASSES], list(KNOWN)[:7])
        for name, errors in KNOWN.items():
            for error in errors:
                with self.subTest(error=type(error).__name__):
                    self.assertEqual(error_class(error).name, name)

    def test_an_error_without_a_class_has_that_of_its_cause(self) -> None:
        caught: Any = None
        try:
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                raise RuntimeError("epoch 3 failed") from error
        except RuntimeError as error:
            caught = error
        self.assertEqual(error_class(caught).name, "resource_exhaustion")
        caught.__cause__ = caught
        self.assertIs(error_class(caught), UNKNOWN)

    def test_the_suggestions_are_those_of_the_contract(self) -> None:
        rows = {row.name: row for row in CLASSES}
        for name, words in (
            ("cuda_oom", ("halve the batch size", "gradient checkpointing")),
            ("data_corruption", ("reload the latest checkpoint", "skip this batch")),
            ("convergence_failure", ("halve the learning rate", "clip the gradients")),
            ("resource_exhaustion", ("all checkpoints but one", "compress the data")),
        ):
            for word in words:
                self.assertIn(word, suggestion(rows[name], 2))
                self.assertIn("batch size of 8 and 10 epochs", suggestion(rows[name], 3))

    def test_the_table_of_the_readme_is_that_of_the_code(self) -> None:
        with open(os.path.join(CLIENT, "README.md"), encoding="utf-8") as file:
            rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in file]
        told = [(row[0], row[2]) for row in rows if len(row) == 3]
        expected = [(row.name, row.suggestion) for row in (*CLASSES, UNKNOWN)]
        self.assertEqual([row for row in told if row[0] in KNOWN], expected)

    def test_the_text_of_a_failure_has_its_class_and_what_helps(self) -> None:
        self.assertEqual(
            failure_text(RuntimeError("CUDA out of memory.")),
            "RuntimeError: CUDA out of memory. "
            "[cuda_oom: halve the batch size, and use gradient checkpointing]",
        )
        self.assertEqual(failure_text("out of patience"), "out of patience")
        long = failure_text(MemoryError("x" * 10_000))
        self.assertEqual(len(long), TEXT_MAX)
        self.assertTrue(long.endswith("and compress the data]"))

    def test_a_report_says_all_and_is_json(self) -> None:
        try:
            raise MemoryError("no room")
        except MemoryError as error:
            report = error_report(error, 1)
        self.assertEqual((report["class"], report["type"]), ("resource_exhaustion", "MemoryError"))
        self.assertEqual((report["message"], report["attempts"]), ("MemoryError: no room", 1))
        self.assertIn("test_a_report_says_all_and_is_json", report["traceback"])
        json.dumps(report)
        for odd in (None, "text", Hostile(), 5):
            json.dumps(error_report(odd))


if __name__ == "__main__":
    unittest.main()
