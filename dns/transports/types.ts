// What transports say to the rest of dns.
import type { Exchange, ServingState } from '../answer/types.ts';

/**
 * Takes what the answering core referred: transfers, NOTIFY, TSIG. Yields whole messages without a
 * length before them; UDP sends the first only; a stream's consumer asks for the next when the one
 * before has been taken by the client. Never throws; nothing yielded: silence.
 */
export type Referred = (message: Uint8Array, exchange: Exchange) => AsyncIterable<Uint8Array>;

/** A way in. The settings of one that runs do not change, but for certificates. */
export interface Transport {
  /** Rejects with an OperationalError that names the address when one cannot be bound. */
  open(): Promise<void>;
  /** Resolves when all that it does is by this state. */
  adopt(state: ServingState): Promise<void>;
  /** Takes no new connections; those that are open are closed when idle. */
  drain(): void;
  close(): Promise<void>;
}
