// What holds whatever comes: no message makes the server fail or say more than one thing, and no
// address is promised to two clients by any mix of what clients and two servers do.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { MemoryLeases } from '../../support/dhcp/memory-book.ts';
import {
  type ClientFields,
  decline,
  discover,
  inform,
  relayInfo,
  release,
  request,
} from '../../support/dhcp/request.ts';
import { addressOf, Rig, routed, SERVER, secondsOf } from '../../support/dhcp/server-rig.ts';

const small = {
  subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.12'], authoritative: true }],
};
const relay = { giaddr: '10.0.0.254' };
const byRelay = routed('10.0.0.254');

const samples = [
  discover({ hostName: 'desk', clientId: [1, 2, 3, 4], leaseSeconds: 60 }),
  discover({ options: [[81, [5, 0, 0, 4, 100, 101, 115, 107]]], rapidCommit: true }),
  request({ ...relay, requested: '10.0.0.10', relay: relayInfo({ circuitId: 'a' }) }),
  request({ ciaddr: '10.0.0.10', maxBytes: 600 }),
  request({ requested: '10.0.0.10', serverId: SERVER, subnetSelection: '10.0.0.0' }),
  decline({ requested: '10.0.0.10', serverId: SERVER }),
  release({ ciaddr: '10.0.0.10', serverId: SERVER }),
  inform({ ciaddr: '10.0.0.77' }),
];

test('16 no mutation of a message makes the server fail', async () => {
  const change = fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 }));
  const cut = fc.option(fc.nat(400), { nil: undefined });
  const mutated = fc.tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 8 }), cut);
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 20 }), async (all) => {
      const rig = new Rig({ plan: small });
      for (const [sample, changes, length] of all) {
        const bytes = Uint8Array.from(sample.subarray(0, length));
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        await rig.ask(bytes);
      }
      expect(rig.counted).toHaveLength(all.length);
      expect(rig.counted).not.toContain('failed');
    }),
    { numRuns: 200 },
  );
});

type Promised = { client: number; untilMs: number };

class Site {
  readonly clock = new ManualClock();
  readonly leases = new MemoryLeases();
  readonly rigs = [0, 1].map(
    () => new Rig({ plan: small, clock: this.clock, leases: this.leases }),
  );
  readonly promised = new Map<string, Promised>();
  readonly offered = new Map<number, string>();

  async ask(client: number, server: number, bytes: Uint8Array): Promise<void> {
    const answer = await this.rigs[server]?.ask(bytes, byRelay);
    if (answer === undefined) return;
    if (answer.type === 2) this.offered.set(client, answer.yiaddr);
    if (answer.type !== 5) return;
    const before = this.promised.get(answer.yiaddr);
    const nowMs = this.clock.monotonicMs();
    if (before !== undefined && before.client !== client && before.untilMs >= nowMs) {
      throw new Error(`${answer.yiaddr} is ${before.client}'s, and now ${client}'s`);
    }
    expect(addressOf(answer, 54)).toBe(SERVER);
    const untilMs = nowMs + (secondsOf(answer, 51) ?? 0) * 1000;
    this.promised.set(answer.yiaddr, { client, untilMs });
  }

  /** Of the client: the last address that was promised to it. */
  held(client: number): string | undefined {
    return [...this.promised].find(([, promise]) => promise.client === client)?.[0];
  }

  letGo(client: number, address: string): void {
    if (this.promised.get(address)?.client === client) this.promised.delete(address);
  }

  async step([kind, client, server, seconds]: Step): Promise<void> {
    const fields: ClientFields = { ...relay, mac: `02:00:00:00:00:0${client}` };
    const requested = this.offered.get(client) ?? '10.0.0.11';
    const address = this.held(client) ?? '10.0.0.12';
    switch (kind) {
      case 'discover':
        return this.ask(client, server, discover({ ...fields, requested }));
      case 'select':
        return this.ask(client, server, request({ ...fields, requested, serverId: SERVER }));
      case 'reboot':
        return this.ask(client, server, request({ ...fields, requested: address }));
      case 'rebind':
        return this.ask(client, server, request({ ...fields, ciaddr: address }));
      case 'release':
        this.letGo(client, address);
        return this.ask(client, server, release({ ...fields, ciaddr: address, serverId: SERVER }));
      case 'decline':
        this.letGo(client, requested);
        return this.ask(client, server, decline({ ...fields, requested, serverId: SERVER }));
      case 'wait':
        return this.clock.advance(seconds * 1000);
    }
  }
}

const kinds = ['discover', 'select', 'reboot', 'rebind', 'release', 'decline', 'wait'] as const;
type Step = [kind: (typeof kinds)[number], client: number, server: number, seconds: number];

test('no address is promised to two clients', async () => {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom(...kinds),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 0, max: 1 }),
    fc.constantFrom(1, 30, 70, 600, 4000, 90_000),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const site = new Site();
      for (const each of steps) await site.step(each);
      const counted = site.rigs.flatMap((rig) => rig.counted);
      expect(counted).not.toContain('failed');
    }),
    { numRuns: 150 },
  );
});
