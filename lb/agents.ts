// Agents of targets: who is asked, and what they said last.
import type { Pool, PoolTarget } from '../shared/site/pool-objects.ts';
import type { AgentWord } from './targets.ts';

export class Agents {
  constructor(_: unknown) {}
  onChange(_: () => void): void {}
  want(_: readonly Pool[]): void {}
  start(_: AbortSignal): void {}
  stop(): void {}
  wordOf(_: Pool, __: PoolTarget): AgentWord | undefined {
    return undefined;
  }
  textOf(_: Pool, __: PoolTarget): string | undefined {
    return undefined;
  }
}
