// All kinds of probes behind one door: a target goes in, a verdict comes out within its timeout.
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { openEcho } from './icmp.ts';
import { probeDns } from './probe-dns.ts';
import { HttpProbe } from './probe-http.ts';
import { IcmpProbe, type OpenEcho } from './probe-icmp.ts';
import { probeTcp } from './probe-tcp.ts';
import type { ProbeResult, Prober, Target } from './types.ts';

/** A Prober whose probes can be stopped: they end as not probed. */
export interface Probes extends Prober {
  probe(target: Target, signal?: AbortSignal): Promise<ProbeResult>;
  /** Stops all. */
  close(): void;
}

export type ProbesOptions = {
  clock: Clock;
  random: Random;
  /** Instead of raw sockets. */
  openEcho?: OpenEcho;
  /** PEM of the certificate authorities that https checks with `verify` believe. */
  ca?: string;
};

/** Nothing is opened before a target needs it. */
export function createProbes(options: ProbesOptions): Probes {
  const { clock, random, ca } = options;
  const identifier = random.integer(0x1_0000);
  const open = options.openEcho ?? ((version) => openEcho(clock, identifier, version));
  const [http, icmp, closed] = [new HttpProbe(ca), new IcmpProbe(open), new AbortController()];
  return {
    probe({ address, check }, stop) {
      const signal = stop === undefined ? closed.signal : AbortSignal.any([stop, closed.signal]);
      const deadline = { clock, timeoutMs: check.timeoutMs, signal };
      if (check.type === 'icmp') return icmp.probe(address, deadline);
      const place = { address, port: check.port };
      switch (check.type) {
        case 'tcp':
          return probeTcp(place, deadline);
        case 'http':
        case 'https':
          return http.probe(place, check, deadline);
        case 'readyz':
          return http.readyz(place, deadline);
        case 'dns':
          return probeDns(place, check, random, deadline);
      }
    },
    close() {
      closed.abort();
      icmp.close();
    },
  };
}
