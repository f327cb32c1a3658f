import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { siblingModule } from '../../../shared/module-path.ts';

it.each([
  ['file:///opt/edge/lb/daemon.ts', './worker/main', '/opt/edge/lb/worker/main.ts'],
  ['file:///usr/lib/edge/lb/daemon.js', './worker/main', '/usr/lib/edge/lb/worker/main.js'],
  ['file:///usr/lib/edge.d/x/a.js', './b', '/usr/lib/edge.d/x/b.js'],
  ['file:///a%20b/c.ts?1', './d', '/a b/d.ts'],
])('of %s, %s is %s', (self, path, expected) => {
  expect(fileURLToPath(siblingModule(path, self))).toBe(expected);
});
