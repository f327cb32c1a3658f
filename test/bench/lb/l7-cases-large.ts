import type { Case } from './types.ts';
export const L7_LARGE_CASES: readonly Case[] = [];
