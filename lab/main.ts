// npm start: brings the full site up, sends real traffic through it, prints what happened, and
// stays up with the daemons' pages until Ctrl-C. Takes everything down whole.
import { parseArgs } from 'node:util';
import { describeError } from '../shared/errors.ts';
import { Console } from './console.ts';
import type { LabDaemon } from './daemon.ts';
import { type Site, site } from './site.ts';
import { type Report, sendTraffic, siteObjects } from './traffic.ts';

const HELP = `Usage: npm start -- [options]

Runs a whole site in network namespaces of this machine: clients of three ISPs, a BGP router,
a cluster of natters, two dhcpds, VMs that ask them for addresses, two dns that answer each ISP's
clients in their own way, two lbs before the VMs, Redis. Sends real traffic through it, and stays
up until Ctrl-C.

  --once         end after the traffic (so does a run without a terminal); exit 0: all went well
  --spray        routers draw a natter for each packet, not for each flow
  --natters N    how many natters (default 2)
  --port N       first port on 127.0.0.1 for the daemons' pages (default 9101)
  --help         this text

Example: npm start -- --natters 3 --spray --once`;

type Options = { once: boolean; spray: boolean; natters: number; port: number };

function parse(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      once: { type: 'boolean', default: false },
      spray: { type: 'boolean', default: false },
      natters: { type: 'string', default: '2' },
      port: { type: 'string', default: '9101' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [natters, port] = [Number(values.natters), Number(values.port)];
  if (!Number.isInteger(natters) || natters < 1 || natters > 20) {
    throw new RangeError(`--natters ${values.natters}: not between 1 and 20`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_000) {
    throw new RangeError(`--port ${values.port}: not between 1 and 65000`);
  }
  return { once: values.once || !process.stdout.isTTY, spray: values.spray, natters, port };
}

const through = (counts: Map<string, number>): string =>
  [...counts]
    .filter(([, packets]) => packets > 0)
    .map(([name, packets]) => `${name.replace('natter-', '')}:${packets}`)
    .join(' ');

const line = (report: Report): string => {
  const inbound = through(report.passed.inbound);
  const outbound = through(report.passed.outbound);
  return [
    report.ok ? 'ok  ' : 'FAIL',
    report.what.padEnd(17),
    `${report.from} > ${report.to}`.padEnd(36),
    report.result.padEnd(40),
    inbound && `in ${inbound}`,
    outbound && `out ${outbound}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
};

const daemonsOf = (lab: Site): LabDaemon[] => [
  ...lab.natters,
  ...lab.dhcpds,
  ...lab.dnses,
  ...lab.lbs,
];

/** Returns whether every check went well. */
async function showTraffic(lab: Site, signal: AbortSignal): Promise<boolean> {
  console.log('\n      what               path                                  result');
  console.log('      (in, out: natter:packets, counted at the ToR and at the inside router)\n');
  let failed = 0;
  for await (const report of sendTraffic(lab, signal)) {
    console.log(line(report));
    if (!report.ok) failed++;
  }
  if (failed === 0) return true;
  console.log(`\n${failed} failed. The daemons' last words:`);
  for (const node of daemonsOf(lab)) console.log(`-- ${node.name}\n${node.daemon?.tail()}`);
  return false;
}

async function stay(lab: Site, port: number, signal: AbortSignal): Promise<void> {
  const pages = new Console();
  console.log('');
  for (const [name, url] of await pages.open(daemonsOf(lab), port)) console.log(`${name}  ${url}`);
  const enter = `ip netns exec edge-${lab.run.id}`;
  console.log(`\ntry  ${enter}-telecom ping 198.51.100.1`);
  console.log(`     ${enter}-unicom kdig @198.51.100.53 www.edge.example`);
  console.log(`     ${enter}-mobile curl -k --connect-to ::198.18.0.203 https://www.edge.example/`);
  console.log(`     ${enter}-store deploy/bin/edgectl --store ${lab.redis.url} status\n`);
  console.log('Ctrl-C takes the site down.');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  pages.close();
}

async function run(options: Options, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  const { natters, spray } = options;
  console.log(`bringing up 3 ISPs, ${natters} natters, 2 dhcpds, 2 dns, 2 lbs, 5 VMs, Redis …`);
  const lab = await site({ natters, vms: 5, dhcpds: 2, dnses: 2, lbs: 2, spray });
  let ok = false;
  try {
    signal.throwIfAborted();
    await lab.apply(siteObjects(lab));
    await lab.converged();
    console.log(`up in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    ok = await showTraffic(lab, signal);
    if (!options.once) await stay(lab, options.port, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    console.log('taking the site down …');
    await lab.down();
  }
  if (ok) return 0;
  return signal.aborted ? 130 : 1;
}

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort());
  }
  try {
    const options = parse(process.argv.slice(2));
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    return await run(options, stop.signal);
  } catch (error) {
    const usage = error instanceof RangeError || (error instanceof TypeError && 'code' in error);
    console.error(`lab: ${describeError(error)}`);
    return usage ? 2 : 1;
  }
}

process.exitCode = await main();
