// SPDX-License-Identifier: MIT
//
// Debian's own Chromium, driven by playwright-core; and the page as a test speaks of it.
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export type Link = 'connecting' | 'websocket' | 'polling' | 'http' | 'offline';

export class View {
  /** What the page complained of: exceptions, console errors, broken content-security policy. */
  readonly complaints: string[] = [];
  /** Every address it asked. */
  readonly requests: string[] = [];
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
  }

  /** A page in a browser profile of its own; close() takes both. */
  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<View> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    return new View(await context.newPage());
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async waitForLink(link: Link): Promise<void> {
    await this.page.locator(`.connection[data-link="${link}"]`).waitFor();
  }

  /** Waits until the figure of one metric reads so. */
  async waitForMetric(name: string, text: string): Promise<void> {
    await this.page.locator(`[data-metric="${name}"] dd`, { hasText: text }).waitFor();
  }

  async waitForStatus(status: string): Promise<void> {
    await this.page.locator(`[data-status="${status}"]`).waitFor();
  }

  /** Waits until the loss line has so many points. */
  async waitForPoints(atLeast: number): Promise<void> {
    await this.page.waitForFunction((wanted) => {
      const plot = document.querySelector<HTMLElement>('.plot');
      return plot !== null && Number(plot.dataset.points) >= wanted;
    }, atLeast);
  }

  /** Waits until a chart has so many pixels in the colour of one of its lines. */
  async waitForInk(line: number, atLeast: number, metric = 'loss'): Promise<void> {
    await this.page.waitForFunction(
      ([place, wanted, chart]) => {
        const plot = document.querySelector<HTMLElement>(`[data-chart="${chart}"] .plot`);
        const canvas = plot?.querySelector('canvas');
        const context = canvas?.getContext('2d');
        const hex = plot?.dataset.colours?.split(' ')[place];
        if (!canvas || !context || !hex) return false;
        const colour = `${hex}ff`.replace('#', '');
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const two = (byte: number | undefined) => (byte ?? 0).toString(16).padStart(2, '0');
        let pixels = 0;
        for (let i = 0; i < data.length; i += 4) {
          if ([0, 1, 2, 3].map((k) => two(data[i + k])).join('') === colour) pixels++;
        }
        return pixels >= wanted;
      },
      [line, atLeast, metric] as const,
    );
  }

  /** What the address has under a name. */
  asked(name: string): string | null {
    return new URL(this.page.url()).searchParams.get(name);
  }

  /** How far the page is wider than its window. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}
