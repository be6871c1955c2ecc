# SPDX-License-Identifier: MIT
"""A run of a hundred epochs is small on disk and cheap to read back."""

import math
import os
import sqlite3
import unittest
from typing import Any, Dict, List

from place import DurableTest
from stored import FILES
from trainer_wire import Trainer

EPOCHS = 100
STORED_BYTES_MAX = 50_000
GET_CPU_S_MAX = 0.1
#: Processor time is told in ticks of 10 ms.
GETS = 20

#: What a run occupies, wherever it stands; the rows' own overhead is a few bytes each.
STORED_BYTES = """
SELECT (SELECT total(length(id)) + total(length(project)) + total(length(name))
             + total(length(state)) FROM session)
     + (SELECT total(length(config)) FROM config)
     + (SELECT total(length(bytes)) FROM run)
     + (SELECT total(length(head)) FROM segment)
     + (SELECT total(length(bytes)) FROM body)
"""


class RunSize(DurableTest):
    def epoch(self, number: int) -> Dict[str, Any]:
        """Values with all their digits used, as those of a real training are."""
        noise = self.random.random
        train_loss = 2.5 * math.exp(-number / 30) + 0.1 * noise()
        metrics = {
            "epoch": number,
            "train_loss": train_loss,
            "val_loss": train_loss * (1.1 + 0.1 * noise()),
            "train_accuracy": 1 - train_loss / 3,
            "val_accuracy": 0.9 - train_loss / 3 * noise(),
            "learning_rate": 1e-3 * (1 + math.cos(math.pi * number / EPOCHS)) / 2,
            "duration": 60 + noise(),
        }
        return {"type": "epoch", "sessionId": "small", "seq": number, "metrics": metrics}

    def test_a_hundred_epochs(self) -> None:
        """Less than 50 kB in the store; a GET of them less than 100 ms of the processor."""
        daemon = self.daemon()
        trainer = Trainer(daemon.socket_path)
        self.addCleanup(trainer.close)
        epochs = [self.epoch(number) for number in range(1, EPOCHS + 1)]
        trainer.start("small", config={"model_count": 1, "epochs": EPOCHS, "batch_size": 32})
        trainer.send(*epochs, {"type": "complete", "sessionId": "small", "seq": EPOCHS + 1})
        while trainer.acked("small") < EPOCHS + 1:
            pass
        self.stop(daemon)
        database = sqlite3.connect(os.path.join(self.data, FILES[0]))
        self.addCleanup(database.close)
        (stored,) = database.execute(STORED_BYTES).fetchone()

        daemon = self.daemon()  # which has nothing of the run in memory
        before = daemon.cpu_s()
        for _ in range(GETS):
            answer = daemon.get("/api/training/history/small?limit=1000").json()
        cost = (daemon.cpu_s() - before) / GETS
        print("%d epochs: %d bytes stored, %.1f ms of cpu a GET" % (EPOCHS, int(stored), cost * 1e3))
        entries: List[Dict[str, Any]] = answer["data"]
        for name in ("train_loss", "val_accuracy", "duration"):
            told = [entry[name] for entry in entries]
            self.assertEqual(told, [epoch["metrics"][name] for epoch in epochs])
        # As a segment, or, if the daemon ended before it had sealed them, as lines.
        self.assertLess(stored, STORED_BYTES_MAX)
        self.assertGreater(stored, EPOCHS * 6)
        self.assertLess(cost, GET_CPU_S_MAX)
        self.stop(daemon)


if __name__ == "__main__":
    unittest.main()
