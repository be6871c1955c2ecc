// SPDX-License-Identifier: MIT

// The Socket.IO peer on node: socket.io as its own documentation shows it, one room a session.
// With --deflate it compresses every message (socket.io leaves those under 1 KiB alone otherwise).

import { createServer } from "node:http";
import { Server } from "socket.io";
import { serve } from "./trainer.mjs";

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

serve(trainerPath, http, (sessionId, update) => {
  io.to(sessionId).emit("progress_update", update);
});
