// Asks the daemon itself over UDP, as a client would: who does not answer itself answers nobody.
import { createSocket } from 'node:dgram';
import type { Clock } from '../shared/clock.ts';
import { CLASSES, HEADER_BYTES, rcodeName, rcodeOf, TYPES } from '../shared/dns/constants.ts';
import { encodeMessage } from '../shared/dns/message.ts';
import { parseName } from '../shared/dns/names.ts';
import { type Endpoint, formatEndpoint } from '../shared/net/ports.ts';
import type { Random } from '../shared/random.ts';

const TIMEOUT_MS = 2000;
/** `0.0.0.0` is listened on, not asked. */
const LOOPBACK = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

export type CanaryOptions = { at: Endpoint; clock: Clock; random: Random };

export class Canary {
  readonly #options: CanaryOptions;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** `id.server CH TXT`, which needs no zone. Resolves with what is wrong. */
  async run(): Promise<string | undefined> {
    const { at, random } = this.#options;
    const id = random.integer(0x1_0000);
    const name = parseName('id.server');
    if (name === undefined) throw new Error('id.server is a name');
    const query = encodeMessage({
      id,
      flags: 0,
      questions: [{ name, type: TYPES.TXT, class: CLASSES.CH }],
      answers: [],
      authorities: [],
      additionals: [],
    });
    const answer = await this.#ask(query, id);
    const where = formatEndpoint(at);
    if (typeof answer === 'string') return `${where}: ${answer}`;
    const rcode = rcodeOf(answer.readUInt16BE(2));
    return rcode === 0 ? undefined : `${where}: answered ${rcodeName(rcode)}`;
  }

  #ask(query: Uint8Array, id: number): Promise<Buffer | string> {
    const { at, clock } = this.#options;
    const socket = createSocket(at.host.includes(':') ? 'udp6' : 'udp4');
    return new Promise<Buffer | string>((resolve) => {
      const cancel = clock.after(TIMEOUT_MS, () => done(`no answer within ${TIMEOUT_MS} ms`));
      const done = (result: Buffer | string): void => {
        cancel();
        socket.close();
        resolve(result);
      };
      socket.on('error', (error) => done(error.message));
      socket.on('message', (message) => {
        if (message.length >= HEADER_BYTES && message.readUInt16BE(0) === id) done(message);
      });
      socket.connect(at.port, LOOPBACK.get(at.host) ?? at.host, () => socket.send(query));
    });
  }
}
