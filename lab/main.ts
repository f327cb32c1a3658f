// npm start: a site in network namespaces that shows what it does, or the services on this machine.
// Ctrl-C at any moment takes everything down whole.
import { describeError } from '../shared/errors.ts';
import { startHost } from './host/start-host.ts';
import { HELP, parseStart, type Start } from './options.ts';
import { startSite } from './start-site.ts';
import { styleOf } from './story/table.ts';

function run(start: Start, signal: AbortSignal): number | Promise<number> {
  const style = styleOf(process.stdout.isTTY ?? false, process.env.NO_COLOR);
  if (start.kind === 'site') return startSite(start, style, signal);
  if (start.kind === 'host') return startHost(start, style, signal);
  console.log(HELP);
  return 0;
}

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort());
  }
  try {
    return await run(parseStart(process.argv.slice(2), process.stdout.isTTY ?? false), stop.signal);
  } catch (error) {
    console.error(`lab: ${describeError(error)}`);
    return error instanceof RangeError ? 2 : 1;
  }
}

process.exitCode = await main();
