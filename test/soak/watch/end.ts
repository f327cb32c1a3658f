// The end of a soak: is all in order, by edgectl's own word; and is anything left after down().
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { processesOf } from '../../../lab/clean.ts';
import { PIN_ROOT, RUNS_DIRECTORY, runOf } from '../../../lab/run.ts';
import type { Facts } from '../facts.ts';
import type { SoakSite } from '../site.ts';
import { siteProblems } from './health.ts';

export async function siteEnd(site: SoakSite): Promise<Facts['end']> {
  const { lab } = site;
  const status = await lab.edgectl('status');
  const said = status.code === 0 ? [] : [`exit code ${status.code}: ${words(status)}`];
  return [
    { what: 'site', problems: await siteProblems(site) },
    { what: 'edgectl status', problems: said },
    { what: 'edgectl doctor', problems: await doctorProblems(site) },
  ];
}

type Finding = { check: string; level: string; message: string };

/** Of the store and the instances: what it says of the host is about this machine, not the site. */
async function doctorProblems({ lab }: SoakSite): Promise<string[]> {
  const { stdout, stderr } = await lab.edgectl('doctor', '--json');
  if (!stdout.trimStart().startsWith('[')) return [`no findings: ${words({ stdout, stderr })}`];
  const findings = JSON.parse(stdout) as Finding[]; // edgectl's documented form
  return findings
    .filter(({ check, level }) => level === 'fail' && !/^(host|kernel|net)\./.test(check))
    .map(({ check, message }) => `${check}: ${message}`);
}

const words = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  (stderr || stdout).trim().slice(0, 500);

/** Processes, namespaces, pins and files that bear the run's id. */
export function leftOf(id: string): string[] {
  const named = (directory: string): string[] =>
    existsSync(directory) ? readdirSync(directory).filter((name) => runOf(name) === id) : [];
  return [
    ...processesOf(id).map((pid) => `process ${pid}`),
    ...named('/run/netns').map((name) => `namespace ${name}`),
    ...named(PIN_ROOT).map((name) => `pins ${name}`),
    ...(existsSync(join(RUNS_DIRECTORY, id)) ? [`files of ${id}`] : []),
  ];
}
