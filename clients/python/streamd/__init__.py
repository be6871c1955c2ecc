# SPDX-License-Identifier: MIT
"""Log a training run to streamd without ever disturbing it::

    import streamd

    with streamd.init(project="grokking", config={"total_steps": 1000}) as run:
        for step in range(1000):
            run.log({"loss": train_one_step()}, step=step)
            if run.should_stop:
                break

What happens without a daemon, at a fork and at the end of the process is in README.md.
"""

import logging

from .checkpoint_folder import Checkpoint
from .checkpoints import Checkpoints
from .error_class import error_report
from .run import Run, init
from .version import __version__

__all__ = ["Checkpoint", "Checkpoints", "Run", "error_report", "init", "__version__"]

# Silent unless the training configures logging: the default would print warnings on its stderr.
logging.getLogger("streamd").addHandler(logging.NullHandler())
