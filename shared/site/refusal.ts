// A value that is not taken, and why. The shape is the store's; the words are for an operator.
import type { Refusal } from '../store/types.ts';

export type { Refusal };

export function refusal(...reasons: string[]): Refusal {
  return { reasons };
}

export function isRefusal(value: object | undefined): value is Refusal {
  return value !== undefined && 'reasons' in value;
}
