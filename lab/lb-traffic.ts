// What the lbs of a site are shown to do, with real clients: each ISP's www through its own VIP, L4
// and L7; and what a client sees when a target, an lb or Redis dies while it asks.
import { DNS_EIPS } from './dns.ts';
import { VIPS } from './lb.ts';
import { OPS_PORT, WWW } from './lb-objects.ts';
import type { LabNode } from './node.ts';
import { until } from './ready.ts';
import type { Site } from './site.ts';
import type { Check, Outcome } from './traffic.ts';

const ASKS = 200;

/** By the address that its own dns tells it. */
async function www(from: LabNode, scheme: 'http' | 'https', vip: string): Promise<Outcome> {
  const query = ['+short', '+timeout=2', '+retry=1', `@${DNS_EIPS[0]}`, WWW, 'A'];
  const { stdout } = await from.exec('kdig', query, { allowFailure: true });
  const address = stdout.trim();
  const port = scheme === 'http' ? 80 : 443;
  const args = ['-sSk', '--max-time', '5', '-w', '%{http_version}'];
  args.push('--resolve', `${WWW}:${port}:${address}`, `${scheme}://${WWW}/`);
  const { stdout: answer, stderr } = await from.exec('curl', args, { allowFailure: true });
  const [, who = '', version = ''] = /^(vm-\d+) saw [^\n]*\n([\d.]+)$/.exec(answer) ?? [];
  const result = who === '' ? (answer || stderr).trim() : `${address}, ${who}, HTTP/${version}`;
  return { ok: address === vip && who !== '' && version === (port === 80 ? '1.1' : '2'), result };
}

async function direct(from: LabNode): Promise<Outcome> {
  const args = ['-sS', '--max-time', '5', `http://${VIPS.direct}/`];
  const { stdout, stderr } = await from.exec('curl', args, { allowFailure: true });
  const answer = (stdout || stderr).trim().replace(/ port \d+$/, '');
  return { ok: answer.endsWith(`saw ${from.address}`), result: answer };
}

async function echo(from: LabNode): Promise<Outcome> {
  const args = ['-t', '2', '-T', '2', '-', `UDP:${VIPS.isps[0]}:7`];
  const { stdout } = await from.exec('socat', args, { input: 'echo me', allowFailure: true });
  return { ok: stdout === 'echo me', result: stdout ? `"${stdout}" back` : 'nothing came back' };
}

/** Checked by their /readyz, and reached through an lb. */
async function services(site: Site): Promise<Outcome> {
  const pools = [
    ['natters', site.natters],
    ['dhcpds', site.dhcpds],
    ['dnses', site.dnses],
  ] as const;
  const answers = await Promise.all(
    pools.map(async ([pool, nodes]) => {
      const url = `http://${site.lb(1).address}:${OPS_PORT}/${pool}/readyz`;
      const { stdout } = await site.store.exec('curl', ['-sS', '--max-time', '5', url], {
        allowFailure: true,
      });
      return { ok: stdout === 'ok\n', text: `${nodes.length} ${pool}` };
    }),
  );
  const bad = answers.filter(({ ok }) => !ok);
  const result = `${answers.map(({ text }) => text).join(', ')}: ready`;
  return { ok: bad.length === 0, result: bad.length === 0 ? result : `${bad[0]?.text}: not ready` };
}

/** Asks again and again while `change` is made; how many asks failed. */
async function asking(from: LabNode, url: string, change: () => Promise<void>): Promise<Outcome> {
  const port = url.startsWith('https') ? 443 : 80;
  const args = ['-sSk', '-o', '/dev/null', '-w', "'%{http_code}\\n'", '--max-time', '3'];
  args.push('--connect-to', `${WWW}:${port}:${VIPS.isps[0]}:${port}`, '--no-keepalive', url);
  const script = `for i in $(seq ${ASKS}); do curl ${args.join(' ')}; done`;
  const [{ stdout, stderr }] = await Promise.all([
    from.exec('sh', ['-c', script], { allowFailure: true, timeoutMs: 60_000 }),
    change(),
  ]);
  const good = stdout.split('\n').filter((code) => code === '200').length;
  const [first = ''] = stderr.trim().split('\n');
  const lost = ASKS - good;
  const result = `${good} of ${ASKS} answered${lost > 0 ? `; ${first.slice(0, 60)}` : ''}`;
  return { ok: lost === 0, result };
}

async function targetDies(site: Site, from: LabNode): Promise<Outcome> {
  const vm = site.vm(2);
  const outcome = await asking(from, `https://${WWW}/`, () => site.stopServer(vm));
  await site.startServer(vm);
  return outcome;
}

async function lbDrains(site: Site, from: LabNode): Promise<Outcome> {
  const lb = site.lb(1);
  const outcome = await asking(from, `https://${WWW}/`, () => lb.restart());
  return outcome;
}

/** What it had open is lost; who asks anew meets the other. */
async function lbDies(site: Site, from: LabNode): Promise<Outcome> {
  const lb = site.lb(2);
  await lb.kill9();
  const began = performance.now();
  await until('www answers by the other', async () => {
    const { ok } = await www(from, 'https', VIPS.isps[1]);
    return ok;
  });
  const ms = Math.round(performance.now() - began);
  const outcome = await asking(from, `https://${WWW}/`, () => lb.start());
  return { ...outcome, result: `back after ${ms} ms; ${outcome.result}` };
}

async function redisDies(site: Site, from: LabNode): Promise<Outcome> {
  await site.redis.freeze();
  const outcome = await asking(from, `http://${WWW}/`, async () => {});
  site.redis.thaw();
  return outcome;
}

export function lbChecks(site: Site): Check[] {
  if (site.lbs.length < 2 || site.dnses.length === 0) return [];
  const [telecom, unicom, mobile] = [site.client(1), site.client(2), site.client(3)];
  const [one, two, three] = VIPS.isps;
  return [
    ['lb, L4', telecom, `${WWW}:80`, () => www(telecom, 'http', one)],
    ['lb, L7 with TLS', unicom, `https://${WWW}`, () => www(unicom, 'https', two)],
    ['lb, L7 with TLS', mobile, `https://${WWW}`, () => www(mobile, 'https', three)],
    ['lb, udp', mobile, `${one}:7`, () => echo(mobile)],
    ['lb, direct return', telecom, `${VIPS.direct}:80`, () => direct(telecom)],
    ['lb, services', site.store, `lb-1:${OPS_PORT}`, () => services(site)],
    ['lb, target dies', telecom, `https://${WWW}`, () => targetDies(site, telecom)],
    ['lb, one restarts', unicom, `https://${WWW}`, () => lbDrains(site, unicom)],
    ['lb, one killed', unicom, `https://${WWW}`, () => lbDies(site, unicom)],
    ['lb, Redis frozen', mobile, `http://${WWW}`, () => redisDies(site, mobile)],
  ];
}
