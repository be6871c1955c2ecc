// SPDX-License-Identifier: MIT

// The trainer's side of the node peers: the same lines on a Unix socket as streamd takes, made into
// the same updates as streamd sends, so that nobody is compared by a shorter message.

import { createServer } from "node:net";
import { createInterface } from "node:readline";

let offset = 0;

function updateOf({ sessionId, metrics: { lr, ...metrics } }) {
  return {
    sessionId,
    metrics: { ...metrics, timestamp: Date.now() / 1000, learning_rate: lr },
    status: "running",
    offset: ++offset,
  };
}

function takeLine(trainer, line, publish) {
  const message = JSON.parse(line);
  if (message.type === "ping") {
    trainer.write('{"type":"pong"}\n');
  } else if (message.type === "progress") {
    publish(message.sessionId, updateOf(message));
  }
}

/** Listens for trainers at the path, then for watchers on a free loopback port of `http`. */
export function serve(path, http, publish) {
  const trainers = createServer((trainer) => {
    trainer.on("error", () => trainer.destroy());
    createInterface({ input: trainer }).on("line", (line) => takeLine(trainer, line, publish));
  });
  trainers.listen(path, () => {
    http.listen(0, "127.0.0.1", 1024, () => {
      console.log(`listening on http://127.0.0.1:${http.address().port}`);
    });
  });
}
