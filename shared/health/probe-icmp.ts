// ICMP: an address that answers one echo is good. One socket a family, opened when first needed.
import { isIPv6 } from 'node:net';
import type { Echo, IpVersion } from './icmp.ts';
import { attempt, type Deadline, good, notProbed } from './probe-attempt.ts';
import type { ProbeResult } from './types.ts';

/** An answer may have come when the deadline fires, and still waits to be read. */
const LATE_MS = 500;

export type OpenEcho = (version: IpVersion) => Echo;

export class IcmpProbe {
  readonly #open: OpenEcho;
  readonly #echoes = new Map<IpVersion, Echo>();

  constructor(open: OpenEcho) {
    this.#open = open;
  }

  probe(address: string, deadline: Deadline): Promise<ProbeResult> {
    return attempt(deadline, (settle) => {
      const echo = this.#echo(isIPv6(address) ? 6 : 4);
      echo.ask(address, deadline.timeoutMs + LATE_MS).then((answer) => {
        if (answer === 'answered') settle(good('answered'));
        else if (answer !== 'silent') settle(notProbed(answer.unsent));
        // The deadline judges of silence.
      });
      return () => {};
    });
  }

  close(): void {
    for (const echo of this.#echoes.values()) echo.close();
    this.#echoes.clear();
  }

  /** A new one when the last has failed. */
  #echo(version: IpVersion): Echo {
    const held = this.#echoes.get(version);
    if (held?.isOpen) return held;
    held?.close();
    this.#echoes.delete(version);
    const echo = this.#open(version);
    this.#echoes.set(version, echo);
    return echo;
  }
}
