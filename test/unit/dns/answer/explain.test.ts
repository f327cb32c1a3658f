import { describe, expect, test } from 'vitest';
import { explainAnswer } from '../../../../dns/answer/explain.ts';
import { parseName } from '../../../../shared/dns/names.ts';
import { bytesOf, ecsHex, hexOf, optHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, fakeResolve, responderOf, stateOf } from './rig.ts';

const heart = { bind: fakeResolve };
const client = Uint8Array.of(11, 1, 2, 53);
const name = parseName('smart.example.com') ?? new Uint8Array(0);

describe('explain', () => {
  test('says what a message would have been answered', () => {
    const state = stateOf();
    const ecs = { address: bytesOf('0b010309'), bits: 24 };
    const said = explainAnswer(state, { name, type: 1, client, ecs, dnssecOk: true }, heart);
    const options = ecsHex(1, 24, '0b0103');
    const question = questionHex('smart.example.com');
    const opt = optHex({ flags: 0x8000, options });
    const query = queryHex({ id: 0, flags: 0, question }, opt);
    const exchange = exchangeOf({ client, transport: 'tcp' });
    expect(hexOf(said.message)).toBe(ask(responderOf(state), query, exchange));
    expect(said).toMatchObject({ outcome: 'answered', decidedBy: 'ecs', ecsScope: 24 });
    expect(said).toMatchObject({ lineAddress: bytesOf('0b010300'), lineBits: 24 });
    expect(said.result).toMatchObject({ line: 1, scope: 24, zone: 0, answers: 1 });
  });

  test('by who asks, also where ECS is not believed', () => {
    const question = { name, type: 1, client };
    const plain = explainAnswer(stateOf(), question, heart);
    expect(plain).toMatchObject({ decidedBy: 'client', ecsScope: undefined, lineBits: 32 });
    expect(plain.result.line).toBe(2);
    const ecs = { address: bytesOf('c0a80100'), bits: 24 };
    const said = explainAnswer(stateOf(), { ...question, ecs }, heart);
    expect(said).toMatchObject({ decidedBy: 'client', ecsScope: 16, lineAddress: client });
  });

  test('limits nothing, and wants no cookie', () => {
    const cookies = { enabled: true, secrets: [new Uint8Array(16)], required: true };
    const rateLimit = { perSecond: 1, slip: 0, exempt: [] };
    const state = stateOf({ cookies, rateLimit });
    for (let count = 0; count < 5; count++) {
      const said = explainAnswer(state, { name, type: 1, client }, heart);
      expect(said.outcome).toBe('answered');
    }
  });
});
