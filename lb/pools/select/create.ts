// The selection algorithm that a pool's `proxy` names. Pure.
import type { Random } from '../../../shared/random.ts';
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';
import { LeastRequests } from './least-requests.ts';
import { maglevOf } from './maglev.ts';
import { PeakEwma } from './peak-ewma.ts';
import { RandomWeighted } from './random.ts';
import { ringOf } from './ring.ts';
import { RoundRobin } from './round-robin.ts';
import type { Selector } from './selector.ts';
import { TableWalk } from './table-walk.ts';

export function createSelector(
  { algorithm, boundPercent }: Pick<PoolProxy, 'algorithm' | 'boundPercent'>,
  random: Random,
): Selector {
  switch (algorithm) {
    case 'round-robin':
      return new RoundRobin();
    case 'least-requests':
      return new LeastRequests();
    case 'peak-ewma':
      return new PeakEwma(random);
    case 'ring':
      return new TableWalk(boundPercent, ringOf);
    case 'maglev':
      return new TableWalk(boundPercent, maglevOf);
    case 'random':
      return new RandomWeighted(random);
  }
}
