// What a change would end: which plan the workers are asked about, and how their answers add up.
import { describe, expect, it } from 'vitest';
import { impactOf } from '../../../../lb/admin/impact.ts';
import type { LbService } from '../../../../lb/service.ts';
import type { Question } from '../../../../lb/workers/messages.ts';

const POOL = { kind: 'pool', id: 'sql', value: '{"targets":[{"address":"10.0.0.7","port":5432}]}' };

/** Nothing but what is needed: the workers, and the pools in force. */
function lbOf(...answers: unknown[]) {
  const asked: Question[] = [];
  const askAll = async (question: Question) => {
    asked.push(question);
    return answers;
  };
  const states = new Map([['now', { name: 'now', targets: [] }]]);
  return { asked, lb: { options: { workers: { askAll } }, states } as unknown as LbService };
}

const listenerValue = '{"at":["0.0.0.0:5432"],"pool":"sql","protocol":"tcp"}';
const listener = { kind: 'listener', id: 'sql', value: listenerValue };

it('adds up what all workers say, by listener and reason', async () => {
  const gone = { listener: 'web', why: 'its listener is gone' };
  const other = { listener: 'sql', why: 'its target 10.0.0.7:5432 is gone' };
  const { lb } = lbOf([gone, other], [gone], []);
  expect(await impactOf(lb, { objects: [] })).toEqual({
    impact: [
      { ...gone, connections: 2 },
      { ...other, connections: 1 },
    ],
  });
});

it('asks with the objects as they would be, and the pools in force unless told', async () => {
  const { lb, asked } = lbOf([]);
  await impactOf(lb, { objects: [listener] });
  await impactOf(lb, { objects: [listener], pools: [POOL] });
  const plans = asked.map((question) => ('plan' in question ? question.plan : undefined));
  expect(plans.map((plan) => plan?.listeners.map(({ name }) => name))).toEqual([['sql'], ['sql']]);
  expect(plans.map((plan) => plan?.pools.map(({ name }) => name))).toEqual([['now'], ['sql']]);
  expect(plans[1]?.pools[0]?.targets.map(({ id }) => id)).toEqual(['10.0.0.7:5432']);
});

describe('refuses', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'no objects'],
    ['what is no list', { objects: {} }, 'no objects'],
    ['what is no object', { objects: [{ kind: 'listener' }] }, 'an object is none'],
    ['what is no listener', { objects: [{ ...listener, value: '{}' }] }, 'listener sql'],
    ['a pool among objects of lb', { objects: [POOL] }, 'pool'],
  ])('%s', async (_, body, message) => {
    await expect(impactOf(lbOf().lb, body)).rejects.toThrow(message);
  });
});
