// DNAME (RFC 6672): the record itself, and the CNAME that it makes of the name below it. Pure.
import { MAX_NAME_BYTES, TYPES } from '../../shared/dns/constants.ts';
import { RECORD_HEAD, TTL_AT } from '../image/layout.ts';
import type { ZoneView } from '../image/view.ts';
import type { Writer } from './writer.ts';

export class Dname {
  /** Where the CNAME's target stands in the message. */
  targetAt = 0;
  readonly #writer: Writer;
  readonly #target = new Uint8Array(2 * MAX_NAME_BYTES);

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /**
   * The writer's name is below `node`. Records written; negative when there is no CNAME, since its
   * target would be too long (§2.2), or 0 when they did not fit.
   */
  write(view: ZoneView, node: number, withSigs: boolean): number {
    const writer = this.#writer;
    const { name, walk, out } = writer;
    const depth = view.depth(node);
    const rrset = view.rrset(node, TYPES.DNAME);
    const at = writer.at;
    const count = writer.rrset(view, rrset, depth, writer.labelAt[depth] as number, withSigs);
    if (count === 0) return 0;
    const prefix = walk.at[depth] as number;
    // Not compressed in a DNAME (§2.5), so it can be copied.
    const from = at + RECORD_HEAD;
    const length = ((out[at + 10] as number) << 8) | (out[at + 11] as number);
    if (prefix + length > MAX_NAME_BYTES) return -count;
    for (let index = 0; index < prefix; index++) this.#target[index] = name[index] as number;
    for (let index = 0; index < length; index++) {
      this.#target[prefix + index] = out[from + index] as number;
    }
    const ttlAt = at + TTL_AT;
    const ttl =
      ((out[ttlAt] as number) << 24) |
      ((out[ttlAt + 1] as number) << 16) |
      ((out[ttlAt + 2] as number) << 8) |
      (out[ttlAt + 3] as number);
    this.targetAt = writer.record(TYPES.CNAME, ttl, this.#target, prefix + length);
    return this.targetAt === 0 ? 0 : count + 1;
  }
}
