// Plays a row: a client and a target on either side of a balancer, and then two questions of the
// rig's own: is the client's connection in step, and was the target's one kept?
import { connect } from 'node:net';
import { until } from '../../../../lab/ready.ts';
import { wire } from '../../../unit/lb/http1/cases.ts';
import { Wire } from '../http/wire.ts';
import { type Message, messagesIn, statusOf } from './messages.ts';
import { type Act, isProxied, type Row, type Upstream } from './row.ts';
import type { Heard, RowTarget } from './scripted-target.ts';

export type Address = { host: string; port: number };

export type Played = {
  sent: readonly Message[];
  heard: readonly Message[];
  /**
   * hangs: another request is not answered. astray: it gets what is not its answer. waits: for the
   * rest of what the client says.
   */
  left: Row['left'] | 'hangs' | 'astray' | 'waits';
  upstream: Upstream;
  /** Somebody awaited what did not come, and said no more. */
  isStuck: boolean;
};

/** `quietMs`: with nothing new for so long it is over. Undefined: the row says what is awaited. */
export type Patience = { quietMs: number | undefined; waitMs: number };

const STEP = { everyMs: 2 };

export async function play(
  row: Row,
  at: Address,
  target: RowTarget,
  patience: Patience,
): Promise<Played> {
  const scene = new Scene(row, at, target, patience);
  try {
    return await scene.play();
  } finally {
    scene.close();
  }
}

class Scene {
  readonly #row: Row;
  readonly #at: Address;
  readonly #target: RowTarget;
  readonly #patience: Patience;
  readonly #wires: Wire[] = [];
  #client!: Wire;
  #troubles: Error[] = [];

  constructor(row: Row, at: Address, target: RowTarget, patience: Patience) {
    this.#row = row;
    this.#at = at;
    this.#target = target;
    this.#patience = patience;
    target.act = (acts, on) => this.#act(acts, on);
  }

  async play(): Promise<Played> {
    this.#client = await this.#connect();
    await this.#act(this.#row.client, this.#client);
    await this.#settled();
    const heard = this.#heard();
    const left = await this.#leave(heard.length);
    const upstream = await this.#upstream(left);
    const [trouble] = this.#troubles;
    if (trouble !== undefined && this.#patience.quietMs === undefined) throw trouble;
    const isStuck = trouble !== undefined;
    return { sent: this.#target.requests, heard, left, upstream, isStuck };
  }

  close(): void {
    for (const each of this.#wires) each.destroy();
  }

  async #connect(): Promise<Wire> {
    const socket = connect({ ...this.#at, allowHalfOpen: true, noDelay: true });
    const connected = new Wire(socket);
    this.#wires.push(connected);
    await until('the connection stands', () => !socket.connecting, STEP);
    return connected;
  }

  async #act(acts: readonly Act[], on: Wire): Promise<void> {
    try {
      for (const act of acts) {
        if (typeof act === 'string') on.send(wire(act));
        else if ('end' in act) act.end === 'fin' ? on.end() : on.reset();
        else if ('closed' in act) await this.#waitClosed(act.closed);
        else await this.#wait(act.until, wire(act.hears).toString('latin1'));
      }
    } catch (error) {
      this.#troubles.push(error as Error);
    }
  }

  async #wait(side: 'client' | 'target', text: string): Promise<void> {
    const heard: () => Heard =
      side === 'target' ? () => this.#target : () => ({ text: this.#client.received });
    const what = `${side} hears ${JSON.stringify(text)}`;
    const timeoutMs = this.#patience.waitMs;
    await until(what, () => heard().text.includes(text), { ...STEP, timeoutMs });
  }

  async #waitClosed(side: 'client' | 'target'): Promise<void> {
    const timeoutMs = this.#patience.waitMs;
    const watched = () =>
      side === 'client' ? this.#client : this.#target.connections.at(-1)?.wire;
    await until(`${side} closed`, () => watched()?.state !== 'open', { ...STEP, timeoutMs });
  }

  #heard(): Message[] {
    const { bodiless } = this.#row;
    return messagesIn(this.#client.received, {
      isResponse: true,
      isBodiless: (index) => bodiless.includes(index),
      isTunnel: () => false,
      isEnded: this.#isOver,
    });
  }

  get #isOver(): boolean {
    return this.#client.state !== 'open';
  }

  async #settled(): Promise<void> {
    const { quietMs, waitMs } = this.#patience;
    if (quietMs === undefined) {
      // What else is wrong is seen by who compares.
      await until('the end', () => this.#isAsSaid(), { ...STEP, timeoutMs: waitMs }).catch(
        () => {},
      );
      return;
    }
    let last = '';
    let sinceMs = performance.now();
    const isQuiet = (): boolean => {
      const now = `${this.#client.received.length} ${this.#target.text.length} ${this.#isOver}`;
      if (now !== last) sinceMs = performance.now();
      last = now;
      return performance.now() - sinceMs > (this.#isOver ? quietMs / 4 : quietMs);
    };
    await until('quiet', isQuiet, { everyMs: 10 });
  }

  #isAsSaid(): boolean {
    const { left, heard, sent } = this.#row;
    const got = this.#heard();
    if (left !== 'open') return this.#isOver && this.#target.requests.length >= sent.length;
    const isHeard = got.length >= heard.length && got.every(({ isWhole }) => isWhole);
    return this.#isOver || (isHeard && this.#target.requests.length >= sent.length);
  }

  /** Of the client's connection; one that is open gets one more request. */
  async #leave(count: number): Promise<Played['left']> {
    const client = this.#client;
    if (this.#isOver) return client.state === 'reset' ? 'reset' : 'closed';
    if (this.#row.unfinished || this.#troubles.length > 0) return 'waits';
    client.send(wire('GET /again HTTP/1.1\nHost: a\n\n'));
    const answer = (): Message | undefined => {
      const next = this.#heard()[count];
      return next?.isWhole === true ? next : undefined;
    };
    await this.#soon('an answer', () => answer() !== undefined || this.#isOver);
    const next = answer();
    const isRight = this.#row.setup.dead === 'only' ? isPage(next) : next?.body === 'again';
    if (next !== undefined) return isRight ? 'open' : 'astray';
    return this.#isOver ? 'closed' : 'hangs';
  }

  async #upstream(left: Played['left']): Promise<Upstream> {
    const target = this.#target;
    if (this.#row.setup.dead === 'only') return 'unused';
    const isUsed = target.connections.some((_, index) => target.isUsed(index));
    if (left !== 'open') await this.#probe();
    if (!isUsed) return 'unused';
    const index = target.probedOn(left === 'open' ? 'again' : 'probe');
    if (target.isUsed(index)) return 'kept';
    const { quietMs } = this.#patience;
    if (quietMs !== undefined) return 'dropped';
    const others = target.connections.filter((_, each) => each !== index);
    const isClosed = () => others.every(({ wire: { state } }) => state !== 'open');
    return (await this.#soon('the old ones closed', isClosed)) ? 'dropped' : 'kept';
  }

  /** By another client: whatever was odd before, it is served. */
  async #probe(): Promise<void> {
    const wired = await this.#connect();
    const proxied = isProxied(this.#row) ? 'PROXY TCP4 192.0.2.9 192.0.2.1 9 80\n' : '';
    wired.send(wire(`${proxied}GET /probe HTTP/1.1\nHost: a\n\n`));
    const isServed = await this.#soon('the probe', () => wired.received.endsWith('\r\n\r\nprobe'));
    if (isServed) return;
    this.#troubles.push(new Error(`another client got ${JSON.stringify(wired.received)}`));
  }

  /** False: it did not come. */
  async #soon(what: string, probe: () => boolean): Promise<boolean> {
    const { waitMs } = this.#patience;
    return await until(what, probe, { ...STEP, timeoutMs: waitMs }).catch(() => false);
  }
}

function isPage(message: Message | undefined): boolean {
  return message !== undefined && statusOf(message) >= 500;
}
