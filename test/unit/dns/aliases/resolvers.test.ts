// Questions to resolvers over real sockets.
import { afterEach, expect, test } from 'vitest';
import { Resolvers } from '../../../../dns/aliases/resolvers.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { FLAGS, TYPES } from '../../../../shared/dns/constants.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';
import { ResolverStub, recordsOf } from '../../../support/dns/resolver-stub.ts';

const stubs: ResolverStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});

async function stub(answer: Parameters<typeof ResolverStub.open>[0]): Promise<ResolverStub> {
  const opened = await ResolverStub.open(answer);
  stubs.push(opened);
  return opened;
}
const at = ({ port }: ResolverStub) => ({ host: '127.0.0.1', port });
const resolvers = () =>
  new Resolvers({
    clock: systemClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
  });
const cdn = nameOf('cdn.example');
const one = () => ({ answers: recordsOf('cdn.example 60 A 192.0.2.1') });

test('asks with RD, another id and another port each time', async () => {
  const good = await stub(one);
  const asking = resolvers();
  const found = await asking.ask([at(good)], cdn, TYPES.A);
  expect(found).toEqual({
    addresses: [Uint8Array.of(192, 0, 2, 1)],
    ttlSeconds: 60,
    from: `127.0.0.1:${good.port}`,
  });
  await Promise.all(Array.from({ length: 7 }, () => asking.ask([at(good)], cdn, TYPES.A)));
  const { asked } = good;
  expect(new Set(asked.map(({ message }) => message.id)).size).toBe(8);
  expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(4);
  expect(asked.every(({ message }) => message.flags === FLAGS.RD)).toBe(true);
});

test('over TCP what does not fit', async () => {
  const long = await stub((_, transport) =>
    transport === 'udp' ? { flags: FLAGS.QR | FLAGS.RA | FLAGS.TC } : one(),
  );
  expect((await resolvers().ask([at(long)], cdn, TYPES.A)).addresses).toHaveLength(1);
  expect(long.asked.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
});

test('the next when one fails, and that one first from then on', async () => {
  const bad = await stub(() => ({ flags: FLAGS.QR | 2 }));
  const good = await stub(one);
  const asking = resolvers();
  const both = [at(bad), at(good)];
  expect((await asking.ask(both, cdn, TYPES.A)).from).toBe(`127.0.0.1:${good.port}`);
  await asking.ask(both, cdn, TYPES.A);
  expect(bad.asked).toHaveLength(1);
  expect(good.asked).toHaveLength(2);
});

test('says of each why it is not known', async () => {
  const bad = await stub(() => ({ flags: FLAGS.QR | 5 }));
  const silent = await stub(() => undefined);
  const asking = resolvers().ask([at(bad), at(silent)], cdn, TYPES.A);
  await expect(asking).rejects.toThrow(/says REFUSED; .* does not answer over UDP/);
  expect(silent.asked).toHaveLength(2);
});
