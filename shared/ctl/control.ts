// The control socket that a command talks to, and reading fields of its answers.

import { join } from 'node:path';
import { OperationalError } from '../errors.ts';
import type { Arguments } from './command.ts';
import type { Context, Control } from './context.ts';

export function controlOf(context: Context, args: Arguments, service = 'natter'): Control {
  const socket = args.values.get('socket') ?? join(context.paths.run, `${service}.sock`);
  return context.openControl(socket);
}

function badAnswer(what: string): OperationalError {
  return new OperationalError(
    'EDGE_CTL_BAD_ANSWER',
    `the daemon's answer to ${what} is not readable`,
    {
      remedy: 'are edgectl and the daemon of the same version?',
    },
  );
}

export function fieldsOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badAnswer(what);
  return value as Record<string, unknown>; // an object of JSON
}

export function textOf(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw badAnswer(`"${name}"`);
  return value;
}

export function numberOf(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw badAnswer(`"${name}"`);
  return value;
}

export function listOf(fields: Record<string, unknown>, name: string): unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw badAnswer(`"${name}"`);
  return value;
}

/** The objects of a list. */
export function rowsOf(fields: Record<string, unknown>, name: string): Record<string, unknown>[] {
  return listOf(fields, name).map((one) => fieldsOf(one, name));
}
