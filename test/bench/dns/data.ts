// What is served and what is asked, made once a run and the same for everyone: zone files, lists of
// prefixes, queries as dnsperf reads them, a certificate.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import { seededRandom } from '../../../shared/random.ts';
import { GENERATED_LINES, generateList } from '../../support/dns/lines-generate.ts';
import { type Client, clientsOf, ecsQuery } from './ecs-query.ts';
import { prefixTexts } from './prefix-text.ts';
import { asStream, encodeQuestion } from './question.ts';

export const ZONE = 'bench.example';
export const SMART_ZONE = 'smart.example';
export const LINES = GENERATED_LINES;
export const DEFAULT_ADDRESS = '192.0.2.200';

const SEED = 53;
/** dnsperf reads them over and over; more of them than a cache of answers would hold. */
const QUERIES = 200_000;

/** What clients of a line are answered. */
export const addressOfLine = (line: string): string => `192.0.2.${1 + LINES.indexOf(line)}`;

export const zoneHead = (zone: string): string =>
  [
    '$TTL 300',
    `@ SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 1209600 60`,
    `@ NS ns.${zone}.`,
    'ns A 192.0.2.53\n',
  ].join('\n');

/** Which names are asked for, and whether each query says whom it is asked for. */
export type Asked = 'plain' | 'plain-messages' | 'plain-ecs' | 'smart-ecs' | 'both-ecs';

export class Data {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** A zone file with so many A records. */
  zoneFile(names: number): string {
    return this.#made(`zone-${names}`, () => {
      const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      const rows = Array.from({ length: names }, (_, index) => `n${index} A ${address(index)}\n`);
      return zoneHead(ZONE) + rows.join('');
    });
  }

  /** `prefix line` a line; no prefix is there twice. */
  prefixFile(prefixes: number): string {
    return this.#made(`prefixes-${prefixes}`, () => {
      const list = generateList({ seed: SEED, prefixes });
      return [...prefixTexts(list)].map(([prefix, line]) => `${prefix} ${line}\n`).join('');
    });
  }

  /** The same as gdnsd's `nets`, where a line is a data center. */
  netsFile(prefixes: number): string {
    return this.#made(`nets-${prefixes}`, () =>
      readFileSync(this.prefixFile(prefixes), 'latin1').replaceAll(/ (\w+)\n/g, ' => $1\n'),
    );
  }

  /** `plain`: text for dnsperf -d; all others are messages, for -B. Names and clients at random. */
  queries(asked: Asked, wanted: { names: number; smart: number; prefixes: number }): string {
    const { names, smart, prefixes } = wanted;
    return this.#made(`queries-${asked}-${names}-${smart}-${prefixes}`, () => {
      const random = seededRandom(SEED);
      const plain = () => `n${random.integer(names)}.${ZONE}`;
      const special = () => `s${random.integer(smart)}.${SMART_ZONE}`;
      const each = Array.from({ length: QUERIES }, (_, index) => {
        if (asked === 'smart-ecs') return special();
        return asked === 'both-ecs' && index % 2 === 1 ? special() : plain();
      });
      if (asked === 'plain') return each.map((name) => `${name} A\n`).join('');
      if (asked === 'plain-messages') {
        return Buffer.concat(each.map((name) => asStream(encodeQuestion(name, 0))));
      }
      const clients: Client[] = clientsOf(readFileSync(this.prefixFile(prefixes), 'latin1'));
      const client = (): Client => clients[random.integer(clients.length)] as Client; // not empty
      return Buffer.concat(each.map((name) => asStream(ecsQuery(name, client(), random))));
    });
  }

  async certificate(): Promise<{ certificate: string; key: string }> {
    const [certificate, key] = ['tls.crt', 'tls.key'].map((name) => join(this.#directory, name));
    if (certificate === undefined || key === undefined) throw new Error('two files were named');
    if (!existsSync(certificate)) {
      const how = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const what = ['-x509', '-days', '2', '-subj', '/CN=localhost'];
      const files = ['-keyout', key, '-out', certificate];
      await execute('openssl', ['req', ...how, ...what, ...files]);
    }
    return { certificate, key };
  }

  #made(name: string, make: () => string | Uint8Array): string {
    const path = join(this.#directory, name);
    if (!existsSync(path)) writeFileSync(path, make());
    return path;
  }
}
