import { describe, expect, test } from 'vitest';
import { answeringServer } from '../../../../dhcpd/io/foreign.ts';
import { downIn } from '../../../../dhcpd/io/interfaces.ts';

const reply = (op: number, ...options: number[]) => {
  const payload = new Uint8Array(240 + options.length);
  payload[0] = op;
  payload.set([99, 130, 83, 99, ...options], 236);
  return payload;
};
const ID = [54, 4, 192, 0, 2, 66];

describe('a server that answers is known by its identifier', () => {
  test.each([
    ['an OFFER', reply(2, 53, 1, 2, ...ID, 255), 0xc0000242],
    ['an ACK, padded', reply(2, 0, 0, ...ID, 53, 1, 5), 0xc0000242],
    ['a NAK', reply(2, 53, 1, 6, ...ID, 255), undefined],
    ['a request', reply(1, 53, 1, 2, ...ID, 255), undefined],
    ['no identifier', reply(2, 53, 1, 2, 255), undefined],
    ['an identifier behind the end', reply(2, 53, 1, 2, 255, ...ID), undefined],
    ['a cut-off identifier', reply(2, 53, 1, 2, 54, 4, 1), undefined],
    ['no cookie', reply(2, 53, 1, 2, ...ID).fill(0, 236, 240), undefined],
    ['next to nothing', Uint8Array.of(2), undefined],
  ])('%s', (_what, payload, server) => {
    expect(answeringServer(payload)).toBe(server);
  });
});

test('what ip monitor says of links that went down', () => {
  const text = [
    '3: eth1@if4: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN \\    link/ether 02:00',
    '3: eth1@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP \\    link/ether 02:00',
    '4: eth2: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 state DOWN \\    link/ether 02:00',
    'Deleted 5: eth1.20@eth1: <BROADCAST,MULTICAST,UP> mtu 1500 state UP \\    link/ether 02:00',
    '3: eth1    inet 192.0.2.1/24 scope global eth1\\       valid_lft forever',
  ].join('\n');
  expect(downIn(text)).toEqual(['eth1', 'eth1.20']);
});
