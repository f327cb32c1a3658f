// The command line of `npm start`: words in; what is wanted, or a RangeError, out.
import { parseArgs } from 'node:util';
import { MAX_ISPS, MAX_NATTERS } from './plan.ts';

export const SERVICES = ['natter', 'dhcpd', 'dns', 'lb'] as const;
export type ServiceName = (typeof SERVICES)[number];

export const HELP = `Usage: npm start -- [options]

Runs a whole site in network namespaces of this machine: clients of three ISPs, a BGP router, two
each of natter, dhcpd, dns and lb, VMs that boot by DHCP, Redis with replicas and Sentinel, the
console. Shows with real clients what it does, and what they see when parts of it die; stays up,
with its pages, until Ctrl-C.

  --services LIST  only these of natter,dhcpd,dns,lb (with commas), and what is shown of them
  --isps N         clients of how many ISPs, 1 to ${MAX_ISPS} (default 3)
  --natters N      how many natters, 1 to ${MAX_NATTERS} (default 2)
  --spray          routers draw a natter for each packet, not for each flow
  --once           end when all was shown (so does a run without a terminal); exit 0: all is ok
  --port N         first port on 127.0.0.1 for the pages (default 9101)

  --host           no namespaces: the services themselves on this machine, from deploy/examples, on
                   loopback with one private store
  --interface IF   with --host: dhcpd serves this link, and natter has it as its one arm
  --directory DIR  with --host: where all its files go, until the end (default /run/edge-host)
  --keep           with --host: the directory stays

  --help           this text

Examples: npm start -- --natters 3 --spray --once
          npm start -- --services natter,dns --isps 2
          npm start -- --host`;

export type SiteStart = {
  kind: 'site';
  once: boolean;
  port: number;
  services: ReadonlySet<ServiceName>;
  isps: number;
  natters: number;
  spray: boolean;
};

export type HostStart = {
  kind: 'host';
  once: boolean;
  interface?: string;
  directory: string;
  keep: boolean;
};

export type Start = SiteStart | HostStart | { kind: 'help' };

const FLAGS = {
  services: { type: 'string' },
  isps: { type: 'string' },
  natters: { type: 'string' },
  spray: { type: 'boolean' },
  once: { type: 'boolean' },
  port: { type: 'string' },
  host: { type: 'boolean' },
  interface: { type: 'string' },
  directory: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const OF_SITE = ['services', 'isps', 'natters', 'spray', 'port'] as const;
const OF_HOST = ['interface', 'directory', 'keep'] as const;

/** `isTerminal`: without one a run ends by itself. Throws RangeError, with what may be said. */
export function parseStart(argv: readonly string[], isTerminal: boolean): Start {
  const values = flags(argv);
  if (values.help) return { kind: 'help' };
  const foreign = (values.host ? OF_SITE : OF_HOST).find((flag) => values[flag] !== undefined);
  if (foreign) {
    throw new RangeError(`--${foreign}: ${values.host ? 'not with --host' : 'only with --host'}`);
  }
  const once = values.once ?? !isTerminal;
  if (values.host) {
    return {
      kind: 'host',
      once,
      directory: absolute(values.directory ?? '/run/edge-host'),
      keep: values.keep ?? false,
      ...(values.interface === undefined ? {} : { interface: link(values.interface) }),
    };
  }
  const services = serviceNames(values.services ?? SERVICES.join(','));
  const natters = values.natters ?? '2';
  if (!services.has('natter') && values.natters !== undefined) {
    throw new RangeError('--natters: natter is not among --services');
  }
  return {
    kind: 'site',
    once,
    port: within('port', values.port ?? '9101', 65_000),
    services,
    isps: within('isps', values.isps ?? '3', MAX_ISPS),
    natters: services.has('natter') ? within('natters', natters, MAX_NATTERS) : 0,
    spray: values.spray ?? false,
  };
}

function flags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values;
  } catch (error) {
    // Node's own words for a flag that there is not, or without its value.
    if (error instanceof TypeError && 'code' in error) throw new RangeError(error.message);
    throw error;
  }
}

function within(flag: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new RangeError(`--${flag} ${text}: not between 1 and ${most}`);
}

function serviceNames(text: string): ReadonlySet<ServiceName> {
  const names = text.split(',').filter((word) => word !== '');
  const unknown = names.find((name) => !SERVICES.some((service) => service === name));
  if (unknown !== undefined || names.length === 0) {
    const why = unknown === undefined ? 'names none' : `there is no ${unknown}`;
    throw new RangeError(`--services ${text}: ${why}: choose of ${SERVICES.join(', ')}`);
  }
  return new Set(SERVICES.filter((service) => names.includes(service)));
}

function link(name: string): string {
  if (/^[^\s/:]{1,15}$/.test(name)) return name;
  throw new RangeError(`--interface ${name}: is not the name of a link`);
}

function absolute(path: string): string {
  if (path.startsWith('/') && path !== '/') return path;
  throw new RangeError(`--directory ${path}: not an absolute path`);
}
