// Runs inside a namespace of the bench and does there what it is asked (protocol.ts).
import { flushConntrack } from './conntrack.ts';
import { flood } from './flood.ts';
import { attachNatter, loadRing, progRun } from './natter.ts';
import type { Answer, Call, Method, Methods } from './protocol.ts';
import { arrived, attachSink, captured } from './sink.ts';

type Handlers = { [M in Method]: (argument: Methods[M][0]) => Methods[M][1] };

const handlers: Handlers = {
  attachNatter,
  loadRing,
  progRun,
  flood,
  flushConntrack,
  attachSink,
  arrived,
  captured,
};

function answer({ id, method, argument }: Call): Answer {
  try {
    // as: the parent's call() takes the argument that the method has.
    const handler = handlers[method] as (argument: unknown) => unknown;
    return { id, result: handler(argument) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (call) => process.send?.(answer(call as Call))); // as: remote.ts sends these
process.on('disconnect', () => process.exit(0));
