// Health of targets, for whoever sends clients to them: dns answers, L4 and L7 pools. The rules are
// docs/health.md. Pure.

/** The kinds of probes that need to know nothing but the port. */
export const PORT_CHECKS = ['tcp', 'readyz'] as const;

/** How a target is probed. Milliseconds. Of a pool's check `port` 0 is the target's own. */
export type CheckSettings = {
  intervalMs: number;
  timeoutMs: number;
  /** So many good probes in a row make a target up, so many bad ones down. */
  rise: number;
  fall: number;
} & (
  | { type: (typeof PORT_CHECKS)[number]; port: number }
  | { type: 'icmp' }
  | {
      type: 'http' | 'https';
      port: number;
      path: string;
      /** Host header and SNI; the address unless told. */
      host?: string;
      /** Good status codes, [from, to]; 200 to 399 unless told. */
      status: readonly [number, number];
      /** The body's first 64 KiB must have this. */
      expect?: string;
      /** https: check the certificate; off unless told. */
      verify: boolean;
    }
  | {
      type: 'dns';
      port: number;
      name: string;
      /** RR type; SOA unless told. Good: NOERROR with an answer. */
      recordType: number;
    }
);

/** One address under one check. Address as text of either family. */
export type Target = { address: string; check: CheckSettings };

/** `unknown`: nobody has judged it yet. Readers take unknown for up, and say so. */
export type Measured = 'up' | 'down' | 'unknown';

/** Set by an operator, kept apart from what was measured. */
export type Override = {
  state: 'up' | 'down' | 'drain';
  who: string;
  why: string;
  /** ms since the epoch; absent: until it is taken away. */
  untilMs?: number;
};

export type TargetHealth = {
  measured: Measured;
  /** What readers act on: the override's state, else the measured one. `drain` counts as down. */
  effective: Measured;
  override?: Override;
  /**
   * The least time in which the measured state can become another (V4); 0 while it is not known.
   * Infinity while an override holds.
   */
  toFlipMs: number;
  /** ms since the epoch of the last flip; 0: never flipped. */
  sinceMs: number;
  /** Who votes what, and why, for explain. */
  votes: readonly { node: string; state: 'up' | 'down'; reason: string; ageMs: number }[];
};

/** What a reader sees, as it is now. A target that was never set is `unknown`. */
export interface HealthView {
  /**
   * `targetId`: of fingerprint.ts. As target of that pool, at that port: an override may be said of
   * one pool or port only (V7).
   */
  of(targetId: string, pool?: string, port?: number): TargetHealth;
  /**
   * Without a check: up, unless an operator says otherwise. `port` is the target's, which need not
   * be that of its check.
   */
  ofAddress(
    address: string,
    check: CheckSettings | undefined,
    pool?: string,
    port?: number,
  ): TargetHealth;
}

/**
 * How a probe ended. `not-probed`: this instance could not ask, which says nothing of the target
 * (V8). `reason`: a few words, the same for the same trouble.
 */
export type ProbeResult = {
  verdict: 'good' | 'bad' | 'not-probed';
  reason: string;
  latencyMs: number;
};

export interface Prober {
  /** Never rejects; ends soon after the check's timeout at the latest. */
  probe(target: Target): Promise<ProbeResult>;
  close(): void;
}
