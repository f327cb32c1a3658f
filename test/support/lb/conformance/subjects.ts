// Whom rows are played against: a worker of edge-lb, HAProxy, nginx. Each row has an address, a
// route and a target of its own, so that many are played at once.
import { freePorts } from '../../redis.ts';
import type { Address } from './play.ts';
import type { Row } from './row.ts';
import { RowTarget } from './scripted-target.ts';

/** A row's place at a subject. `dead`: a port where nobody listens. */
export type Place = { row: Row; at: Address; target: RowTarget; dead: number };

export type Running = { stop(): Promise<void> };
export type Start = (places: readonly Place[]) => Promise<Running>;

export type Subject = { places: readonly Place[]; stop(): Promise<void> };

/** `network`: the second byte of the addresses, 127.x.0.0/16. */
export async function open(rows: readonly Row[], network: number, start: Start): Promise<Subject> {
  const [port = 0, dead = 0] = await freePorts(2);
  const places: Place[] = [];
  for (const [index, row] of rows.entries()) {
    const host = `127.${network}.${1 + (index >> 7)}.${1 + (index & 127)}`;
    places.push({ row, at: { host, port }, target: await RowTarget.open(row), dead });
  }
  const closeTargets = () => {
    for (const { target } of places) target.close();
  };
  try {
    const running = await start(places);
    const stop = async () => {
      await running.stop();
      closeTargets();
    };
    return { places, stop };
  } catch (error) {
    closeTargets();
    throw error;
  }
}
