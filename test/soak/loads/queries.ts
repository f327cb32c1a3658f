// DNS queries at a rate, as a resolver asks: the next name server when one is silent. Each answer
// is compared with what this client's line is to be told.
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import { paced, type Tally } from './tally.ts';

export type QueryPlan = {
  servers: readonly string[];
  names: readonly { name: string; own: string; overflow: readonly string[] }[];
  perSecond: number;
};

const TRIES = 4;
const TRY_MS = 1500;

class Resolver {
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<number, (packet: Packet) => void>();
  #id = 0;

  constructor() {
    this.#socket.on('error', () => undefined); // ICMP: nobody listens there just now
    this.#socket.on('message', (bytes) => {
      const packet = decode(bytes);
      this.#waiting.get(packet.id ?? -1)?.(packet);
    });
  }

  async ask(server: string, name: string): Promise<Packet | undefined> {
    this.#id = (this.#id + 1) & 0xffff;
    const id = this.#id;
    const heard = new Promise<Packet>((resolve) => this.#waiting.set(id, resolve));
    const query = encode({ type: 'query', id, questions: [{ type: 'A', name, class: 'IN' }] });
    this.#socket.send(query, 53, server, () => undefined);
    const answer = await Promise.race([heard, pause(TRY_MS)]);
    this.#waiting.delete(id);
    return answer ?? undefined;
  }
}

const addressOf = ({ answers = [] }: Packet): string | undefined =>
  answers.filter((answer): answer is Answer & { type: 'A'; data: string } => answer.type === 'A')[0]
    ?.data;

export function keepResolving(plan: QueryPlan, tally: Tally): void {
  const resolver = new Resolver();
  paced(plan.perSecond, async (round) => {
    const sinceMs = Date.now();
    const wanted = plan.names[round % plan.names.length];
    if (wanted === undefined) return;
    for (let tried = 0; tried < TRIES; tried++) {
      const server = plan.servers[(round + tried) % plan.servers.length] ?? '';
      const answer = await resolver.ask(server, wanted.name);
      if (answer === undefined) continue;
      judge(server, wanted, answer, sinceMs, tally);
      return;
    }
    tally.trouble('dns', 'failed', `${wanted.name}: nobody answered`, sinceMs);
  });
}

function judge(
  server: string,
  { name, own, overflow }: QueryPlan['names'][number],
  answer: Packet,
  sinceMs: number,
  tally: Tally,
): void {
  const address = addressOf(answer);
  const what = `${name} at ${server} is ${address}, not ${own}`;
  if (address === undefined) {
    const { rcode = '' } = answer as { rcode?: string }; // the types of dns-packet leave it out
    tally.trouble('dns', 'failed', `${name} at ${server}: ${rcode}, no address`, sinceMs);
  } else if (address === own) {
    tally.done('dns', Date.now() - sinceMs);
  } else if (overflow.includes(address)) {
    tally.done('dns', Date.now() - sinceMs);
    tally.trouble('dns', 'overflow', what, sinceMs);
  } else {
    tally.trouble('dns', 'wrong-line', what, sinceMs);
  }
}
