// What the page loads besides itself: our style and script, and uPlot from its own package, read
// once and served under names that change with what is in them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PageOptions } from '../html/page.ts';

export type Asset = { type: string; body: Buffer };

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

export class Assets {
  readonly paths: PageOptions['assets'];
  readonly #byPath = new Map<string, Asset>();

  constructor() {
    const own = join(import.meta.dirname, '..', 'assets');
    const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
    this.paths = {
      css: this.#add(join(own, 'console.css'), CSS),
      js: this.#add(join(own, 'console.js'), JS),
      icon: this.#add(join(own, 'icon.svg'), 'image/svg+xml'),
      plotCss: this.#add(join(uplot, 'uPlot.min.css'), CSS),
      plotJs: this.#add(join(uplot, 'uPlot.iife.min.js'), JS),
    };
  }

  get(path: string): Asset | undefined {
    return this.#byPath.get(path);
  }

  #add(file: string, type: string): string {
    const body = readFileSync(file);
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const [name = '', ...ends] = (file.split('/').at(-1) ?? '').split('.');
    const path = `/assets/${[name, digest, ...ends].join('.')}`;
    this.#byPath.set(path, { type, body });
    return path;
  }
}
