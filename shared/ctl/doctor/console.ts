// Doctor: the console of this host. It serves no client, so that little of it can be wrong.
import { join } from 'node:path';
import { describeError, OperationalError } from '../../errors.ts';
import { parseEndpoint } from '../../net/ports.ts';
import type { Context } from '../context.ts';
import { fieldsOf, textOf } from '../control.ts';
import { EXIT } from '../exit.ts';
import type { Fields } from '../lease.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { readYaml, textAt } from './services.ts';

/** It is here when its configuration or its control socket is. */
export async function consoleChecks(context: Context, directory: string): Promise<Finding[]> {
  const { host, paths } = context;
  const files = await host.list(directory);
  const sockets = await host.list(paths.run);
  if (!files.includes('console.yaml') && !sockets.includes('console.sock')) return [];
  const file = join(directory, 'console.yaml');
  const { value: config, problem } = await readYaml(host, file);
  const remedy = `correct it; all of it: edge-console --config ${file} --check-config`;
  const findings = problem === undefined ? [] : [fail('console.config', problem, remedy)];
  return [...findings, ...open(config), ...(await answers(context, config))];
}

/** What it listens on without a token, everybody there may look at. */
function open(config: Fields): Finding[] {
  const check = 'console.token';
  const listen = textAt(config, 'listen');
  const host = listen === undefined ? undefined : parseEndpoint(listen)?.host;
  const isLocal = host === undefined || host === '::1' || host.startsWith('127.');
  if (isLocal || textAt(config, 'tokenFile') !== undefined) {
    return [ok(check, 'the page is for this host, or who has the token')];
  }
  const what = `whoever reaches ${listen} sees the site: no token is asked for`;
  return [warn(check, what, 'tokenFile in console.yaml, or listen on loopback')];
}

async function answers({ openControl, paths }: Context, config: Fields): Promise<Finding[]> {
  const check = 'console.socket';
  const socket = textAt(config, 'control.socket') ?? join(paths.run, 'console.sock');
  let status: Fields;
  try {
    status = fieldsOf(await openControl(socket).get('/status'), 'status');
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const text = describeError(error);
    if (error.exitCode === EXIT.permission) return [warn(check, text, 'run doctor as root')];
    return [fail(check, text, 'systemctl start edge-console; journalctl -u edge-console')];
  }
  const found = [ok(check, `console answers: ${textOf(status, 'node')}`)];
  const store = textAt(status, 'store');
  if (store === undefined || store === 'answers') return found;
  return [...found, fail('console.store', store, 'is Redis running, and is the URL right?')];
}
