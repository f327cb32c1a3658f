// What is noted of a request for the access log, before anything has happened.
import type { ForwardRecord } from '../types.ts';

export function createRecord(pool: string): ForwardRecord {
  return {
    pool,
    target: '',
    tries: 0,
    isReused: false,
    queueMs: -1,
    connectMs: -1,
    headMs: -1,
    status: 0,
    bytesIn: 0,
    cause: 'ok',
  };
}
