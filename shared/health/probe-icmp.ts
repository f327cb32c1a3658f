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
      const version = isIPv6(address) ? 6 : 4;
      const echo = this.#echo(version);
      echo.ask(address, deadline.timeoutMs + LATE_MS).then((answer) => {
        if (answer === 'answered') settle(good('answered'));
        if (typeof answer === 'string') return; // the deadline judges of silence
        settle(notProbed(answer.unsent));
        this.#drop(version, echo); // the next one gets a new socket
      });
      return () => {};
    });
  }

  close(): void {
    for (const [version, echo] of this.#echoes) this.#drop(version, echo);
  }

  #echo(version: IpVersion): Echo {
    const echo = this.#echoes.get(version) ?? this.#open(version);
    this.#echoes.set(version, echo);
    return echo;
  }

  #drop(version: IpVersion, echo: Echo): void {
    if (this.#echoes.get(version) !== echo) return;
    this.#echoes.delete(version);
    echo.close();
  }
}
