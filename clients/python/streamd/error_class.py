# SPDX-License-Identifier: MIT
"""What kind of error ended a training, and what helps against it.

An error is recognised by its type's name or by words of its text; the first class of the table that
knows it has it, so the narrow ones come first. The suggestions are for whoever trains: nothing here
changes a training.
"""

import re
import time
import traceback
from typing import Any, Dict, List, NamedTuple, Tuple

from .encode import TEXT_MAX, clean_text, describe

#: After so many recoveries the same suggestion would be the fourth attempt at the same thing.
ATTEMPTS_MAX = 3
DEGRADE = "it was tried three times: train smaller, with a batch size of 8 and 10 epochs"
#: Errors that an error was raised from, looked at in turn.
CAUSES_MAX = 5


class ErrorClass(NamedTuple):
    """A row of the table; `types` are names, since the modules they live in may not be there."""

    name: str
    suggestion: str
    types: Tuple[str, ...]
    words: "re.Pattern[str]"


def _row(name: str, suggestion: str, types: str, *words: str) -> ErrorClass:
    return ErrorClass(name, suggestion, tuple(types.split()), re.compile("|".join(words), re.I))


CLASSES: Tuple[ErrorClass, ...] = (
    _row(
        "cuda_oom",
        "halve the batch size, and use gradient checkpointing",
        "OutOfMemoryError ResourceExhaustedError",
        r"(cuda|hip|mps|xpu|gpu)\b.*out of memory",
        r"RESOURCE_EXHAUSTED: .*out of memory",
        r"OOM when allocating tensor",
        r"_STATUS_ALLOC_FAILED",
    ),
    _row(
        "checkpoint_failure",
        "resume from an earlier checkpoint that is whole",
        "Corrupt SafetensorError",
        r"checkpoint\b.*(corrupt|damaged|truncated|mismatch|not what was saved)",
        r"loading state_dict",
        r"PytorchStreamReader",
    ),
    _row(
        "device_failure",
        "resume from the latest checkpoint, on another device if it comes again",
        "AcceleratorError",
        r"CUDA error|CUDA driver|no CUDA-capable device|device-side assert",
        r"CUDNN_STATUS|CUBLAS_STATUS|NCCL error: unhandled (cuda|system) error",
        r"uncorrectable ECC|fallen off the bus",
    ),
    _row(
        "network_failure",
        "wait until the other side is there again, and resume from the latest checkpoint",
        "ConnectionError ConnectionResetError ConnectionRefusedError ConnectionAbortedError "
        "BrokenPipeError TimeoutError timeout URLError gaierror DistNetworkError",
        r"connection (reset|refused|aborted|closed|timed out)|broken pipe",
        r"(read|request|socket|operation|collective).*\btimed? ?out",
        r"name resolution|network is unreachable|no route to host|nccl.*timeout",
    ),
    _row(
        "resource_exhaustion",
        "free the disk of all checkpoints but one (keep=1), and compress the data",
        "MemoryError",
        r"no space left on device|disk quota exceeded|too many open files",
        r"(cannot|can't) allocate memory|can't start new thread|unable to allocate",
        r"out of (shared |host |system )?memory",
    ),
    _row(
        "convergence_failure",
        "go back to the latest checkpoint, halve the learning rate, and clip the gradients",
        "FloatingPointError OverflowError",
        r"\b(loss|gradients?|grad_norm|weights?|parameters?|logits)\b.*"
        r"\b(nan|inf|infinite|infinity|non-?finite|explod\w*|diverg\w*)\b",
        r"\b(nan|inf|infinite|non-?finite|exploding)\b.*\b(loss|gradients?|values?|logits)\b",
        r"did not converge|failed to converge|\bdiverg(ed|ing)\b|anomaly detect",
    ),
    _row(
        "data_corruption",
        "reload the latest checkpoint, and skip this batch",
        "UnpicklingError BadZipFile BadGzipFile LZMAError UnicodeDecodeError JSONDecodeError "
        "EOFError UnidentifiedImageError ArrowInvalid DataLossError",
        r"corrupt|truncated|checksum|\bcrc\b|bad magic|invalid load key|incorrect header check",
        r"cannot identify image|unexpected end of (file|data|stream)|invalid data",
    ),
)
UNKNOWN = ErrorClass(
    "unknown", "read the traceback, and resume from the latest checkpoint", (), re.compile(r"(?!)")
)


def error_class(error: Any) -> ErrorClass:
    """The class of an exception, or of a text; of what it was raised from, if it has none itself.

    Never raises.
    """
    try:
        for one in _chain(error):
            types = {kind.__name__ for kind in type(one).__mro__}
            text = describe(one)
            for row in CLASSES:
                if types.intersection(row.types) or row.words.search(text):
                    return row
    except Exception:  # foreign code: __cause__ and __mro__ may be anything
        pass
    return UNKNOWN


def suggestion(row: ErrorClass, attempts: int = 0) -> str:
    """What to do, after so many recoveries of this training."""
    return row.suggestion if attempts < ATTEMPTS_MAX else DEGRADE


def failure_text(error: Any) -> str:
    """The `error` of a `fail` line: what it was, and for a known class its name and what helps."""
    row = error_class(error)
    text = describe(error)
    if row is UNKNOWN:
        return text
    hint = f" [{row.name}: {row.suggestion}]"
    return text[: TEXT_MAX - len(hint)] + hint


def error_report(error: Any, attempts: int = 0) -> Dict[str, Any]:
    """All there is to say about an error, as JSON; never raises.

    `{"class","suggestion","type","message","traceback","attempts","time"}`, the last in seconds.
    """
    row = error_class(error)
    return {
        "class": row.name,
        "suggestion": suggestion(row, attempts),
        "type": type(error).__name__ if isinstance(error, BaseException) else None,
        "message": describe(error),
        "traceback": _traceback(error),
        "attempts": attempts,
        "time": time.time(),
    }


def _chain(error: Any) -> List[Any]:
    found: List[Any] = []
    while error is not None and len(found) < CAUSES_MAX:
        found.append(error)
        hidden = getattr(error, "__suppress_context__", True)
        context = None if hidden else getattr(error, "__context__", None)
        error = getattr(error, "__cause__", None) or context
    return found


def _traceback(error: Any) -> str:
    try:
        parts = traceback.format_exception(type(error), error, error.__traceback__)
        return clean_text("".join(parts)[-TEXT_MAX:])  # its end says where it happened
    except Exception:
        return ""
