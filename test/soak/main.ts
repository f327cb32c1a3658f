// npm run soak -- natter|dhcpd [--minutes N] [--seed N], for as long as told, faults drawn by a
// seed. natter: a site under generated traffic; fails on a reset connection, a wrong byte, a daemon
// that grows. dhcpd: the simulated cluster; fails on an address that two clients hold.
import { parseArgs } from 'node:util';
import { soakDhcpd } from './dhcpd.ts';
import { soakNatter } from './natter.ts';

const USAGE = `usage: npm run soak -- natter|dhcpd [--minutes N] [--seed N]

  --minutes N   how long (default 10)
  --seed N      the faults' order (default: drawn, and printed)

example: npm run soak -- natter --minutes 60 --seed 7`;

const soaks = new Map([
  ['natter', soakNatter],
  ['dhcpd', soakDhcpd],
]);
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
const soak = soaks.get(positionals.join());

if (values.help) {
  console.log(USAGE);
} else if (soak === undefined || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = (await soak({ minutes, seed, print: console.log })) ? 0 : 1;
}
