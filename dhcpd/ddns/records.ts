// The names of leases in Redis, a slot for each zone: dhcpd writes them, our dns reads them. What
// is where: lua/names.lua and docs/contracts.md.
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { storeError } from '../../shared/store/failure.ts';
import { nameKeys } from '../../shared/store/keys.ts';
import type { Call, Reply } from '../../shared/store/link.ts';
import { Links } from '../../shared/store/links.ts';
import type { StoreConfig } from '../../shared/store/open.ts';
import { readScript } from '../../shared/store/script.ts';
import { reachableAddress } from '../../shared/store/url.ts';
import { SERVICE } from '../name.ts';
import type { NameChange } from './wanted.ts';

const LANE = 'names';
const MAX_CHANGES = 10_000;
const ENDED_PER_CALL = 100;
const script = readScript('names', new URL('../lua/names.lua', import.meta.url));

export const NAME_CODE = { done: '0', taken: '1', nothing: '2' } as const;

/** `codes`: a character of NAME_CODE for each change. */
export type NamesWritten = { codes: string; ended: number };
/** `until`: s by Redis' clock; 0xffffffff has no end. */
export type NameRow = { name: string; address: string; until: number; reserved: boolean };
export type NamePage = { nowSeconds: number; rows: NameRow[]; next?: string };

/** What names.ts needs. */
export type NameRecords = Pick<RedisNames, 'write' | 'close'>;

export class RedisNames {
  readonly #links: Links;

  constructor(store: StoreConfig) {
    this.#links = new Links(reachableAddress(store.url), store, [script]);
  }

  /** All of one zone. Without changes: takes away what has ended. */
  async write(zone: string, changes: readonly NameChange[]): Promise<NamesWritten> {
    const { names, addresses, ends, changes: stream } = nameKeys(SERVICE, zone);
    const keys = [names, addresses, ends, stream];
    const argv = [MAX_CHANGES, ENDED_PER_CALL, ...changes.flatMap(wordsOf)];
    const [reply] = await this.#run(names, [{ script, keys, argv }]);
    const [codes, ended] = reply as [Buffer, number]; // as the script's header says
    return { codes: String(codes), ended };
  }

  /** In no order; a name may come twice, and pages differ in size. `after`: `next` of the last. */
  async page(zone: string, after: string, count: number): Promise<NamePage> {
    const { names } = nameKeys(SERVICE, zone);
    const scan: Call = ['HSCAN', names, after, 'COUNT', count];
    const [time, found] = await this.#run(names, [['TIME'], scan]);
    const nowSeconds = Number((time as Buffer[])[0]); // TIME's
    const [next, pairs] = found as [Buffer, Buffer[]]; // HSCAN's
    const rows = rowsOf(pairs.map(String)).filter(({ until }) => nowSeconds <= until);
    return { nowSeconds, rows, ...(String(next) === '0' ? {} : { next: String(next) }) };
  }

  close(): void {
    this.#links.close();
  }

  async #run(key: string, calls: readonly Call[]): Promise<Reply[]> {
    const replies = await this.#links.run(LANE, key, calls);
    for (const reply of replies) if (reply instanceof Error) throw storeError(reply);
    return replies;
  }
}

function wordsOf(change: NameChange): (string | number)[] {
  const { op, generation } = change;
  const head = [op, formatIpv4(change.address), generation];
  if (op === 'remove') return [...head, '', '', '', ''];
  const holder = [...head, change.untilSeconds, change.key];
  if (change.op === 'keep') return [...holder, '', ''];
  return [...holder, change.name, change.reserved ? '1' : '0'];
}

/** What no script of ours wrote is passed over. */
export function rowsOf(pairs: readonly string[]): NameRow[] {
  const rows: NameRow[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const { address, until, reserved } = parse(pairs[at + 1] ?? '');
    if (typeof address !== 'string' || typeof until !== 'number') continue;
    rows.push({ name: pairs[at] ?? '', address, until, reserved: reserved === true });
  }
  return rows;
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>; // each field is looked at
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
