// How long an answer by policy may be kept (docs/answers.md, P6): no longer than it takes until a
// target's health can change it. Pure.
import type { LineAnswer } from '../../shared/site/dns-objects.ts';
import type { Considered } from './evaluate.ts';
import type { PolicyInput } from './types.ts';

export function ttlOf(
  { record, zoneTtlSeconds, nowMs }: PolicyInput,
  answer: LineAnswer,
  considered: readonly Considered[],
): { seconds: number; step: string } {
  const ceiling = answer.ttlSeconds ?? record.ttlSeconds ?? zoneTtlSeconds;
  let leastMs = Number.POSITIVE_INFINITY;
  let whose = '';
  for (const { judged } of considered) {
    for (const { target, health } of judged?.targets ?? []) {
      const untilMs = health.override?.untilMs;
      const overrideMs = untilMs === undefined ? Number.POSITIVE_INFINITY : untilMs - nowMs;
      const changeMs = Math.min(health.toFlipMs, overrideMs);
      if (changeMs >= leastMs) continue;
      leastMs = changeMs;
      whose = target.address;
    }
  }
  const floor = Math.max(1, Math.min(record.minTtlSeconds, ceiling));
  const healthSeconds = Math.floor(leastMs / 1000);
  const seconds = Math.max(floor, Math.min(ceiling, healthSeconds));
  if (seconds === ceiling) return { seconds, step: `TTL ${seconds} s, as configured` };
  const reason = `${whose} can change within ${healthSeconds} s`;
  const floored = seconds > healthSeconds ? `, not below ${floor} s` : '';
  return { seconds, step: `TTL ${seconds} s: ${reason}${floored}` };
}
