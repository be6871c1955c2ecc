// SPDX-License-Identifier: MIT
import { defineConfig } from 'vite';

const at = (path: string) => new URL(path, import.meta.url).pathname;

export default defineConfig({
  root: at('.'),
  build: {
    outDir: at('./dist'),
    target: 'es2022',
    minify: false,
    lib: { entry: { index: at('./src/index.ts'), react: at('./src/react.ts') }, formats: ['es'] },
    rollupOptions: { external: ['react', 'socket.io-client'] },
  },
});
