import type { Case } from './types.ts';
export const L4_CASES: readonly Case[] = [];
