// Responses of our own, as bytes: short pages for what went wrong, and what policy answers.
import { reasonOf, type SimpleWriting, writeSimpleResponse } from '../http1/simple-response.ts';
import { httpDate } from './date.ts';

type Fields = readonly (readonly [name: string, value: string])[];

const ALLOW = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] as const;
const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'] as const;
const EMPTY = Buffer.alloc(0);

/** `nowMs`: of the wall clock. */
export function pageBytes(status: number, nowMs: number, how: SimpleWriting): Buffer {
  if (status === 200) return answerBytes(status, [ALLOW], EMPTY, nowMs, how);
  const fields = status === 405 ? [PLAIN, ALLOW] : [PLAIN];
  return answerBytes(status, fields, Buffer.from(`${status} ${reasonOf(status)}\n`), nowMs, how);
}

export function answerBytes(
  status: number,
  fields: Fields,
  body: Buffer,
  nowMs: number,
  how: SimpleWriting,
): Buffer {
  return writeSimpleResponse(status, [['Date', httpDate(nowMs)], ...fields], body, how);
}
