// Load that checks itself: HTTP transfers between a site's clients and VMs by curl, each compared
// byte for byte by its SHA-256, and the kernels' own count of connections that were reset.
import type { LabNode } from '../../lab/node.ts';
import { testSum } from '../../lab/server.ts';

export type Transfer = {
  client: LabNode;
  address: string; // an EIP, or EIP:port
  direction: 'download' | 'upload';
  bytes: number;
  bytesPerSecond: number;
};

export type TransferResult = { transfer: Transfer; seconds: number; failure: string | undefined };

const sums = new Map<number, string>();

function sumOf(bytes: number): string {
  const known = sums.get(bytes);
  if (known !== undefined) return known;
  const sum = testSum(bytes);
  sums.set(bytes, sum);
  return sum;
}

// The upload's body: the same bytes, from the client's own generator.
const GENERATE = `
import { pipeline } from 'node:stream/promises';
import { testBytes } from '${new URL('../../lab/server.ts', import.meta.url).href}';
await pipeline(testBytes(Number(process.argv[1])), process.stdout);
`;

function commandOf({ address, direction, bytes, bytesPerSecond }: Transfer): string {
  const curl = `curl -sS --fail --connect-timeout 30 --limit-rate ${bytesPerSecond}`;
  if (direction === 'download') return `${curl} http://${address}/bytes/${bytes} | sha256sum`;
  const body = `${process.execPath} --input-type=module -e "$GENERATE" -- ${bytes}`;
  return `${body} | ${curl} -T - -H 'Expect:' http://${address}/sum`;
}

/** Runs one transfer to its end; a reset, a stall or a wrong byte is in `failure`. */
export async function run(transfer: Transfer): Promise<TransferResult> {
  const expected = sumOf(transfer.bytes);
  const started = performance.now();
  const command = `set -o pipefail; ${commandOf(transfer)}`;
  const result = await transfer.client.exec('bash', ['-c', command], {
    env: { GENERATE },
    allowFailure: true,
    timeoutMs: 240_000,
  });
  const seconds = (performance.now() - started) / 1000;
  const got = result.stdout.slice(0, 64);
  let failure: string | undefined;
  if (result.code !== 0) failure = `exit ${result.code}: ${result.stderr.trim()}`;
  else if (got !== expected) failure = `corrupt: ${transfer.bytes} bytes sum to ${got}`;
  return { transfer, seconds, failure };
}

/** Repeats a transfer, a new connection each time, until told to stop; then the last one ends. */
export class Repeated {
  readonly results: TransferResult[] = [];
  readonly #transfer: Transfer;
  readonly #ended: Promise<void>;
  #stop = false;

  constructor(transfer: Transfer) {
    this.#transfer = transfer;
    this.#ended = this.#loop();
  }

  async stop(): Promise<TransferResult[]> {
    this.#stop = true;
    await this.#ended;
    return this.results;
  }

  async #loop(): Promise<void> {
    while (!this.#stop) this.results.push(await run(this.#transfer));
  }
}

/** What went wrong, one line a transfer. */
export function failuresOf(results: readonly TransferResult[]): string[] {
  return results.flatMap(({ transfer, failure }) => {
    const { client, direction, address } = transfer;
    return failure === undefined ? [] : [`${client.name} ${direction} ${address}: ${failure}`];
  });
}

/** Connections that this node's kernel saw reset (RFC 4022 tcpEstabResets), since it was made. */
export async function establishedResets(node: LabNode): Promise<number> {
  const { stdout } = await node.exec('cat', ['/proc/self/net/snmp']);
  const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('Tcp:'));
  const index = names.split(' ').indexOf('EstabResets');
  return Number(values.split(' ')[index]);
}
