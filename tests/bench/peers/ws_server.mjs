// SPDX-License-Identifier: MIT

// The plain WebSocket peer on node: ws, a Set a session, and the broadcast loop of its own
// documentation. With --deflate it compresses every message (ws leaves those under 1 KiB alone
// otherwise).

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { serve } from "./trainer.mjs";

const [trainerPath, deflate] = process.argv.slice(2);
if (trainerPath === undefined) {
  console.error("usage: ws_server.mjs TRAINER-SOCKET [--deflate]");
  process.exit(2);
}

const http = createServer();
const wss = new WebSocketServer({
  server: http,
  perMessageDeflate: deflate === "--deflate" ? { threshold: 0 } : false,
});
const rooms = new Map();

function roomOf(sessionId) {
  if (!rooms.has(sessionId)) {
    rooms.set(sessionId, new Set());
  }
  return rooms.get(sessionId);
}

wss.on("connection", (client, request) => {
  const asked = new URL(request.url, "http://localhost").searchParams.getAll("sessionId");
  for (const sessionId of asked) {
    roomOf(sessionId).add(client);
  }
  client.on("error", () => client.terminate());
  client.on("close", () => {
    for (const sessionId of asked) {
      roomOf(sessionId).delete(client);
    }
  });
});

serve(trainerPath, http, (sessionId, update) => {
  const text = JSON.stringify({ event: "progress_update", data: update });
  for (const client of roomOf(sessionId)) {
    if (client.readyState === WebSocket.OPEN) {
      client.send(text);
    }
  }
});
