// Doctor: the services of this host. One is here when its configuration or its control socket is;
// then its daemon is asked what it says of itself.
import { join } from 'node:path';
import { ConfigError, describeError, OperationalError } from '../../errors.ts';
import { SERVICES, type Service } from '../../site/place.ts';
import type { Context } from '../context.ts';
import { fieldsOf, rowsOf, textOf } from '../control.ts';
import { EXIT } from '../exit.ts';
import { type Fields, optional } from '../lease.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';

export type Daemon = {
  service: Service;
  /** Its configuration as YAML says it; empty when there is none that can be read. */
  config: Fields;
  socket: string;
  /** What it says; undefined: it does not answer, or is starting. */
  status: Fields | undefined;
  /** Of the process behind the socket; undefined: none, or it may not be seen. */
  pid: number | undefined;
  findings: Finding[];
};

/** By its configuration in the directory, or its control socket: what shall run here, or does. */
export async function servicesHere(
  { host, paths }: Context,
  directory: string,
): Promise<ReadonlySet<Service>> {
  const files = await host.list(directory);
  const sockets = await host.list(paths.run);
  const isHere = (service: Service) =>
    files.includes(`${service}.yaml`) || sockets.includes(`${service}.sock`);
  return new Set(SERVICES.filter(isHere));
}

export function servicesFinding(
  { paths }: Context,
  directory: string,
  here: ReadonlySet<Service>,
): Finding {
  const check = 'host.services';
  if (here.size > 0) return ok(check, `set up on this host: ${[...here].join(', ')}`);
  const file = join(directory, '<service>.yaml');
  return ok(check, `none is set up on this host: no ${file}, no socket in ${paths.run}`);
}

export async function askDaemons(
  context: Context,
  directory: string,
  here: ReadonlySet<Service>,
): Promise<Map<Service, Daemon>> {
  const sockets = await context.host.run('ss', ['-Hxlp']);
  const asked = [...here].map((service) => askDaemon(context, service, directory, sockets ?? ''));
  return new Map((await Promise.all(asked)).map((daemon) => [daemon.service, daemon]));
}

async function askDaemon(
  context: Context,
  service: Service,
  directory: string,
  sockets: string,
): Promise<Daemon> {
  const findings: Finding[] = [];
  const config = await readConfig(context.host, service, directory, findings);
  const socket = textAt(config, 'control.socket') ?? join(context.paths.run, `${service}.sock`);
  const daemon = { service, config, socket, pid: pidOf(socket, sockets), findings };
  let status: Fields;
  try {
    status = fieldsOf(await context.openControl(socket).get('/status'), 'status');
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    findings.push(unasked(service, error));
    return { ...daemon, status: undefined };
  }
  findings.push(ok(`${service}.socket`, `${service} answers: ${textOf(status, 'node')}`));
  const isStarting = optional(status, 'version') === undefined;
  if (isStarting) {
    const remedy = 'see its log if that lasts';
    findings.push(warn(`${service}.ready`, `${service} is starting`, remedy));
    return { ...daemon, status: undefined };
  }
  findings.push(readiness(service, status), ...store(service, status));
  return { ...daemon, status };
}

async function readConfig(
  host: Host,
  service: Service,
  directory: string,
  findings: Finding[],
): Promise<Fields> {
  const file = join(directory, `${service}.yaml`);
  const { value, problem } = await readYaml(host, file);
  if (problem !== undefined) {
    const remedy = `correct it; all of it: edge-${service} --config ${file} --check-config`;
    findings.push(fail(`${service}.config`, problem, remedy));
  }
  return value;
}

/** What a file says of every setting is for `--check-config`; here it is only read. */
export async function readYaml(
  host: Host,
  file: string,
): Promise<{ value: Fields; problem?: string }> {
  const text = await host.read(file);
  if (text === undefined) return { value: {} };
  const { YamlSource } = await import('../../config/yaml.ts');
  try {
    const { value } = new YamlSource(file, text);
    return { value: typeof value === 'object' && value !== null ? (value as Fields) : {} }; // a map
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first] = error.problems;
    const problem = first === undefined ? file : `${file}:${first.line}: ${first.message}`;
    return { value: {}, problem };
  }
}

/** What stands at a path such as `control.socket`; undefined: nothing of that kind. */
export function valueAt(config: Fields, path: string): unknown {
  let value: unknown = config;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Fields)[name]; // an object of YAML
  }
  return value;
}

export function textAt(config: Fields, path: string): string | undefined {
  const value = valueAt(config, path);
  return typeof value === 'string' ? value : undefined;
}

export function listAt(config: Fields, path: string): unknown[] {
  const value = valueAt(config, path);
  return Array.isArray(value) ? value : [];
}

/** Of lines as `u_str LISTEN 0 511 /run/edge/lb.sock 971 * 0 users:(("node",pid=13,fd=2))`. */
function pidOf(socket: string, sockets: string): number | undefined {
  const line = sockets.split('\n').find((each) => each.split(/\s+/).includes(socket));
  const pid = /pid=(\d+)/.exec(line ?? '')?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function unasked(service: Service, error: OperationalError): Finding {
  const check = `${service}.socket` as const;
  const text = describeError(error);
  if (error.exitCode === EXIT.permission) return warn(check, text, 'run doctor as root');
  const unit = `edge-${service}`;
  return fail(check, text, `systemctl start ${unit}, and look at its log: journalctl -u ${unit}`);
}

function readiness(service: Service, status: Fields): Finding {
  const check = `${service}.ready` as const;
  const state = textOf(status, 'state');
  const problems = rowsOf(status, 'checks').flatMap((row) => {
    const problem = optional(row, 'problem');
    return problem === undefined ? [] : [`${textOf(row, 'name')}: ${problem}`];
  });
  if (state === 'running') return ok(check, `${service} is ready`);
  if (state === 'draining' || state === 'drained') {
    const remedy = `edgectl undrain ${textOf(status, 'node')}, once it shall carry traffic again`;
    return warn(check, `${service} is ${state}`, remedy);
  }
  const seen = { natter: 'nodes', dhcpd: 'nodes', dns: 'zone list', lb: 'lb list' }[service];
  const why = problems.length === 0 ? '' : `: ${problems.join('; ')}`;
  return fail(check, `${service} is ${state}${why}`, `see its log and edgectl ${seen}`);
}

/** natter and dhcpd say it of the store, dns and lb of each unit. */
function store(service: Service, status: Fields): Finding[] {
  const check = `${service}.store` as const;
  const units = valueAt(status, 'units');
  const parts = units === undefined ? [status.store] : Object.values(Object(units));
  const told = parts.map((part) => Object(part) as Fields); // the daemon's own document
  if (told.every(({ up, storeUp }) => up === true || storeUp === true)) {
    return [ok(check, `${service} reaches its store`)];
  }
  const ages = told.map(({ lastContactMs }) => Number(lastContactMs ?? 0));
  const since = Math.round(Math.max(...ages) / 1000);
  const what = `${service} has not reached its store for ${since} s: it serves what it knows`;
  return [fail(check, what, 'is Redis running, and is `store` of its configuration right?')];
}
