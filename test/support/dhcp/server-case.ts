// A case of the server: what stands before, one message, what has to come of it.
import { expect } from 'vitest';
import { type ClientFields, discover, request } from './request.ts';
import { type Answer, type From, Rig, type RigOptions, SERVER } from './server-rig.ts';

export type ServerCase = Partial<RigOptions> & {
  /** Begins with the number of notes/dhcp.md §6 where it has one. */
  what: string;
  before?: (rig: Rig) => unknown;
  ask: Uint8Array;
  /** A broadcast on the link unless told otherwise. */
  from?: From;
  /** Type and yiaddr of the reply; absent: silence. */
  type?: number;
  yiaddr?: string;
  reason: string;
  after?: (answer: Answer, rig: Rig) => void;
  /** Looked at even when there is no reply. */
  lastly?: (rig: Rig) => void;
};

export async function runCase(one: ServerCase, plan: RigOptions['plan']): Promise<void> {
  const rig = new Rig({ plan, ...one });
  await one.before?.(rig);
  const answer = await rig.ask(one.ask, one.from);
  const seen = { reason: rig.reason, type: answer?.type, yiaddr: answer?.yiaddr };
  const expected = { reason: one.reason, type: one.type, yiaddr: one.yiaddr ?? seen.yiaddr };
  expect(seen).toEqual(expected);
  if (answer !== undefined) one.after?.(answer, rig);
  one.lastly?.(rig);
}

export const MAC = {
  one: '02:00:00:00:00:01',
  two: '02:00:00:00:00:02',
  three: '02:00:00:00:00:03',
};

export function macOf(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

/** The whole exchange, on the link unless told otherwise; the address. */
export async function bind(rig: Rig, fields: ClientFields = {}, from?: From) {
  const offer = await rig.ask(discover(fields), from);
  if (offer === undefined) throw new Error(`no offer: ${rig.reason}`);
  const ack = await rig.ask(
    request({ ...fields, requested: offer.yiaddr, serverId: SERVER }),
    from,
  );
  if (ack?.type !== 5) throw new Error(`no ack: ${rig.reason}`);
  return ack.yiaddr;
}

export const expire = (rig: Rig): Promise<void> => rig.clock.advance(86_400_000);

export function codesOf({ message }: Answer): number[] {
  return [...message.options.keys()];
}

export function textOf(answer: Answer | undefined, code: number): string | undefined {
  const bytes = answer?.message.options.get(code);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
