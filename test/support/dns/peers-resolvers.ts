// Resolvers as Debian has them, in front of name servers of the test: for all below `example`, at
// port 53 of an address, in the network namespace that the test's process is in.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { queryHex, questionHex } from '../../unit/dns/answer/packets.ts';
import { askUdp } from './packets-ask.ts';
import { Program } from './peers.ts';

export const RESOLVERS = ['unbound', 'named'] as const;
export type ResolverName = (typeof RESOLVERS)[number];

export type ResolverOptions = {
  address: string;
  /** Name servers of `example`. */
  servers: readonly string[];
  /** Zones that are secure by themselves, with their DNSKEY of flags 257 as in a master file. */
  anchors?: Readonly<Record<string, string>>;
  /** Lines of unbound's `server:` clause besides. */
  more?: readonly string[];
};

export class Resolver {
  readonly endpoint: { host: string; port: number };
  readonly #directory: string;
  readonly #program: Program;

  private constructor(host: string, directory: string, program: Program) {
    this.endpoint = { host, port: 53 };
    this.#directory = directory;
    this.#program = program;
  }

  static async start(name: ResolverName, options: ResolverOptions): Promise<Resolver> {
    const directory = mkdtempSync(join(tmpdir(), `edge-${name}-`));
    const file = join(directory, `${name}.conf`);
    writeFileSync(file, CONFIGS[name](options, directory));
    const args = name === 'unbound' ? ['-d', '-c', file] : ['-g', '-n', '1', '-c', file];
    const resolver = new Resolver(options.address, directory, new Program(directory, name, args));
    const query = queryHex({ question: questionHex('example', 2) });
    const answers = async (): Promise<boolean> => {
      const bytes = await askUdp(resolver.endpoint, query, { deadlineMs: 500 });
      return bytes !== undefined && ((bytes[3] ?? 15) & 15) === 0;
    };
    await until(`${name} to resolve`, answers, { timeoutMs: 10_000 }).catch(async (error) => {
      const said = resolver.#program.output;
      await resolver.stop();
      throw new Error(`${error.message}\n${said}`);
    });
    return resolver;
  }

  async stop(): Promise<void> {
    await this.#program.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const CONFIGS: Record<ResolverName, (options: ResolverOptions, directory: string) => string> = {
  unbound: ({ address, servers, anchors = {}, more = [] }, directory) => `
server:
  interface: ${address}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  local-zone: "example." nodefault
  use-caps-for-id: yes
  qname-minimisation: yes
  minimal-responses: yes
${Object.values(anchors)
  .map((key) => `  trust-anchor: "${key}"\n`)
  .join('')}${more.map((line) => `  ${line}\n`).join('')}
stub-zone:
  name: "example."
${servers.map((server) => `  stub-addr: ${server}\n`).join('')}`,
  named: ({ address, servers, anchors = {} }, directory) => `
options {
  directory "${directory}"; pid-file none; session-keyfile none;
  listen-on { ${address}; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; }; allow-recursion { any; };
  dnssec-validation yes; empty-zones-enable no; minimal-responses yes;
};
controls { };
trust-anchors {
${Object.entries(anchors)
  .map(([zone, key]) => {
    const [, flags, protocol, algorithm, data] = /DNSKEY (\d+) (\d+) (\d+) (.+)$/.exec(key) ?? [];
    return `  "${zone}" static-key ${flags} ${protocol} ${algorithm} "${data}";\n`;
  })
  .join('')}};
zone "example" {
  type static-stub;
  server-addresses { ${servers.map((server) => `${server};`).join(' ')} };
};
`,
};
