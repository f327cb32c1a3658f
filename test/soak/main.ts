// npm run soak: a whole site under load and faults drawn by a seed, judged by its invariants; or
// natter's own soak; or dhcpd's, which is a simulation.
import { type Arguments, parse, USAGE } from './arguments.ts';
import { soakDhcpd } from './dhcpd.ts';
import { soakNatter } from './natter.ts';
import { soakWhole } from './whole.ts';

async function main(words: readonly string[]): Promise<number> {
  const options: Arguments | 'help' | string[] = parse(words, Date.now() % 1_000_000);
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (Array.isArray(options)) {
    console.error(`${options.join('\n')}\n\n${USAGE}`);
    return 2;
  }
  const { what, minutes, seed } = options;
  if (what === 'site') return await soakWhole(options, words);
  const soak = what === 'natter' ? soakNatter : soakDhcpd;
  return (await soak({ minutes, seed, print: console.log })) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
