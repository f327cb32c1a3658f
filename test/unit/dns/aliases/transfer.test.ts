// A transfer out has for an ALIAS what is answered for it: also what resolvers have said.
import { expect, test } from 'vitest';
import { AnswerResponder } from '../../../../dns/answer/responder.ts';
import { InnerResponder } from '../../../../dns/transfer/inner.ts';
import { TYPES } from '../../../../shared/dns/constants.ts';
import { imageOf, nameOf, stateOf } from '../../../support/dns/resolve-rig.ts';

const ZONE = '$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n@ ALIAS cdn.elsewhere.\n';
const NOW_SECONDS = 1_800_000_000;

test('addresses of a target elsewhere, with what is left of their TTL', () => {
  const known = (type: number, addresses: Uint8Array[]) => ({
    target: nameOf('cdn.elsewhere.'),
    type,
    addresses,
    freshUntilSeconds: NOW_SECONDS + 40,
    ttlSeconds: 60,
  });
  const aliases = [known(TYPES.A, [Uint8Array.of(192, 0, 2, 9)]), known(TYPES.AAAA, [])];
  const state = { ...stateOf([imageOf('here.', ZONE)]), aliases };
  const owner = nameOf('here.');
  const inner = new InnerResponder(new AnswerResponder(state, { keepaliveMs: 0, seed: 1 }));
  expect(inner.addresses(owner, NOW_SECONDS)).toEqual([
    { owner, type: TYPES.A, ttlSeconds: 40, rdata: Uint8Array.of(192, 0, 2, 9) },
  ]);
  const none = new InnerResponder(
    new AnswerResponder({ ...state, aliases: [] }, { keepaliveMs: 0, seed: 1 }),
  );
  expect(none.addresses(owner, NOW_SECONDS)).toEqual([]);
});
