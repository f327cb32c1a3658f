// npm run soak -- natter [--minutes N] [--seed N]: a site under generated traffic and faults drawn
// by a seed, for as long as told. Fails on a reset connection, a wrong byte, a daemon that grows.
import { parseArgs } from 'node:util';
import { soakNatter } from './natter.ts';

const USAGE = `usage: npm run soak -- natter [--minutes N] [--seed N]

  --minutes N   how long (default 10)
  --seed N      the faults' order (default: drawn, and printed)

example: npm run soak -- natter --minutes 60 --seed 7`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);

if (values.help) {
  console.log(USAGE);
} else if (positionals.join() !== 'natter' || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = (await soakNatter({ minutes, seed, print: console.log })) ? 0 : 1;
}
