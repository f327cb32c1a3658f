// What a book says of an address that a client names as offered (docs/leases.md R7, §4): "no" leads
// to a refusal, so it needs Redis' own word, whatever the book believes of siblings.
import { describe, expect, test } from 'vitest';
import type { LeaseBackend } from '../../../../dhcpd/leases/types.ts';
import { at, BookRig, clientOf, poolOf } from '../../../support/dhcp/book-rig.ts';
import { describeCode } from '../../../support/dhcp/redis-model-failure.ts';

const pool = poolOf('10.0.0.10', '10.0.0.99');

/** The second book's replica stands still once `now.isDeaf`. */
function deafened(now: { isDeaf: boolean }) {
  return (backend: LeaseBackend): LeaseBackend =>
    new Proxy(backend, {
      get(target, name: keyof LeaseBackend) {
        if (name !== 'follow') return target[name].bind(target);
        const follow: LeaseBackend['follow'] = async (...args) => {
          const found = await target.follow(...args);
          return now.isDeaf ? new Promise(() => {}) : found;
        };
        return follow;
      },
    });
}

async function twoBooks(believes: { first: number; second: number }) {
  const rig = new BookRig({ pools: [pool] });
  const now = { isDeaf: false };
  const one = await rig.started(1, { members: believes.first });
  const two = await rig.started(2, { members: believes.second, wrap: deafened(now) });
  now.isDeaf = true;
  const wasOffered = (client: number, address: ReturnType<typeof at>) =>
    rig.run(two.book.wasOffered(clientOf(client), address));
  return { rig, one: one.book, two: two.book, wasOffered };
}

describe('an offer of a sibling', () => {
  test('is found by who has not heard yet that there is one', async () => {
    const { rig, one, two, wasOffered } = await twoBooks({ first: 2, second: 1 });
    const offer = await rig.offer(one, 7);
    const address = offer?.address ?? expect.fail();
    expect(await wasOffered(7, address)).toBe('yes');
    expect(await rig.bind(two, 7, address)).toMatchObject({ outcome: 'bound' });
  });

  test('that was not shared may be one: the sibling has the address set aside', async () => {
    const { rig, one, wasOffered } = await twoBooks({ first: 1, second: 1 });
    const offer = await rig.offer(one, 7);
    const address = offer?.address ?? expect.fail();
    expect(await wasOffered(7, address)).toBe('unknown');
    expect(await wasOffered(8, address)).toBe('unknown');
    // Set aside for so long at most.
    await rig.clock.advance(120_000);
    expect(await wasOffered(7, address)).toBe('no');
  });

  test('that was taken there already makes the address its own', async () => {
    const { rig, one, two, wasOffered } = await twoBooks({ first: 1, second: 1 });
    const address = await rig.lease(one, 7);
    expect(two.get(address)?.state).not.toBe(1);
    expect(await wasOffered(7, address)).toBe('own');
    expect(await wasOffered(8, address)).toBe('no');
  });

  test('of what the client had itself is shared by nobody, and known by its key', async () => {
    const { rig, one, two, wasOffered } = await twoBooks({ first: 2, second: 2 });
    const address = await rig.lease(one, 7);
    await rig.clock.advance(11_000); // what was shared then has ended
    expect(await rig.run(one.release(clientOf(7), address))).toBe(true);
    expect((await rig.offer(one, 7, [address]))?.address).toBe(address);
    expect(await wasOffered(7, address)).toBe('own');
    const want = { client: clientOf(7), address, leaseSeconds: 600, offered: false };
    expect(await rig.run(two.bind(want))).toMatchObject({ outcome: 'bound' });
  });
});

test('what nobody has set aside was offered to nobody', async () => {
  const { rig, one, wasOffered } = await twoBooks({ first: 2, second: 2 });
  await rig.offer(one, 7);
  expect(await wasOffered(8, at('10.0.0.99'))).toBe('no');
});

test('without an answer of Redis nothing is known', async () => {
  const rig = new BookRig({ pools: [pool] });
  const refused = () => Promise.reject(describeCode('EDGE_STORE_TIMEOUT'));
  const wrap = (backend: LeaseBackend): LeaseBackend =>
    new Proxy(backend, {
      get: (target, name: keyof LeaseBackend) =>
        name === 'offered' ? refused : target[name].bind(target),
    });
  const { book } = await rig.started(1, { wrap, members: 2 });
  expect(await rig.run(book.wasOffered(clientOf(7), at('10.0.0.50')))).toBe('unknown');
  rig.model.kill();
  await rig.clock.advance(3000);
  expect(book.condition).toBe('isolated');
  expect(await rig.run(book.wasOffered(clientOf(7), at('10.0.0.50')))).toBe('unknown');
});
