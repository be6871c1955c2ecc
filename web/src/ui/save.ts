// SPDX-License-Identifier: MIT
//
// Gives the visitor a file.

export function saveFile(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it up by the next frame, and the memory is free again.
  requestAnimationFrame(() => {
    URL.revokeObjectURL(link.href);
  });
}
