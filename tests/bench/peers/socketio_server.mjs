// SPDX-License-Identifier: MIT

// The node peer of the benchmark: socket.io as its own documentation shows it, one room a session,
// fed by the same trainer lines on a Unix socket as streamd. With --deflate it compresses every
// message (socket.io leaves those under 1 KiB alone otherwise).

import { createServer } from "node:http";
import { createServer as createTrainerServer } from "node:net";
import { createInterface } from "node:readline";
import { Server } from "socket.io";

const [trainerPath, deflate] = process.argv.slice(2);
if (trainerPath === undefined) {
  console.error("usage: socketio_server.mjs TRAINER-SOCKET [--deflate]");
  process.exit(2);
}

const http = createServer();
const io = new Server(http, {
  serveClient: false,
  perMessageDeflate: deflate === "--deflate" ? { threshold: 0 } : false,
});

io.on("connection", (socket) => {
  socket.on("subscribe_session", ({ sessionId }, acknowledge) => {
    socket.join(sessionId);
    acknowledge?.({ sessionId });
  });
});

function takeLine(trainer, line) {
  const message = JSON.parse(line);
  if (message.type === "ping") {
    trainer.write('{"type":"pong"}\n');
  } else if (message.type === "progress") {
    const { sessionId, metrics } = message;
    io.to(sessionId).emit("progress_update", { sessionId, metrics, status: "running" });
  }
}

const trainers = createTrainerServer((trainer) => {
  trainer.on("error", () => trainer.destroy());
  createInterface({ input: trainer }).on("line", (line) => takeLine(trainer, line));
});

trainers.listen(trainerPath, () => {
  http.listen(0, "127.0.0.1", 1024, () => {
    console.log(`listening on http://127.0.0.1:${http.address().port}`);
  });
});
