// SPDX-License-Identifier: MIT
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `npm run dev` serves the page with hot reload and sends the wire to a daemon on its default port.
const daemon = { target: 'http://127.0.0.1:5001', ws: true };

export default defineConfig({
  // Relative addresses: the page also works below a prefix of somebody's reverse proxy.
  base: './',
  plugins: [react()],
  // Nothing inlined and no polyfill: the page runs under `default-src 'self'`.
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': daemon, '/socket.io': daemon } },
});
