// The lease book: docs/leases.md from an instance's side. Decides from its replica, asks Redis for
// every change, and answers only what the rules R1 to R8 let it promise.
import type { LeaseBookOptions, RunningLeaseBook } from './options.ts';

export type { LeaseBookOptions, RunningLeaseBook } from './options.ts';

export function createLeaseBook(_options: LeaseBookOptions): RunningLeaseBook {
  throw new Error('not yet');
}
