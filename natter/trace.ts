// `trace`: what the programs saw, packet by packet, as lines of JSON; off again when the client
// leaves.

import { ByteStream } from '../shared/admin/control.ts';
import type { Clock } from '../shared/clock.ts';
import { OperationalError } from '../shared/errors.ts';
import { parseIpv4 } from '../shared/net/ipv4.ts';
import type { TraceConfig, TraceEvent } from './layout.ts';
import { REASONS } from './mapping/types.ts';
import type { NatterService } from './service.ts';

const SNAP_BYTES = 256;
const POLL_MS = 20;
const EVERY_REASON = -1;
const OFF: TraceConfig = { enabled: 0, address: 0, reason: EVERY_REASON, snap_bytes: 0 };

/** One at a time: there is one filter in the kernel. */
const tracing = new WeakSet<NatterService>();

export function traceStream(
  natter: NatterService,
  query: URLSearchParams,
  signal: AbortSignal,
): ByteStream {
  const config = traceConfig(natter, query);
  if (tracing.has(natter)) {
    throw new OperationalError('EDGE_NATTER_TRACE_BUSY', 'another trace is running', {
      remedy: 'end it first',
    });
  }
  return new ByteStream('application/x-ndjson', trace(natter, config, signal));
}

function traceConfig({ datapath }: NatterService, query: URLSearchParams): TraceConfig {
  const text = query.get('address');
  const address = text === null ? 0 : parseIpv4(text);
  if (address === undefined) {
    throw new OperationalError('EDGE_NATTER_TRACE', `"${text}" is not an IPv4 address`);
  }
  const name = query.get('reason');
  const reason = name === null ? EVERY_REASON : reasonNumber(datapath.layout.reasons, name);
  if (reason === undefined) {
    const remedy = `known: ${REASONS.join(', ')}`;
    throw new OperationalError('EDGE_NATTER_TRACE', `no reason is called "${name}"`, { remedy });
  }
  return { enabled: 1, address, reason, snap_bytes: SNAP_BYTES };
}

/** Of its own names only: the name comes from outside. */
function reasonNumber(reasons: Record<string, number>, name: string): number | undefined {
  return REASONS.some((known) => known === name) ? reasons[name] : undefined;
}

async function* trace(
  natter: NatterService,
  config: TraceConfig,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { datapath, options } = natter;
  const { layout } = datapath;
  const waiting: TraceEvent[] = [];
  tracing.add(natter);
  const ring = options.bpf.ringBuffer(datapath.map('trace_events'), (bytes) => {
    waiting.push(layout.traceEvent.decode(bytes));
  });
  const nameOfReason = new Map(Object.entries(layout.reasons).map(([name, n]) => [n, name]));
  try {
    ring.consume(); // what an earlier trace left
    waiting.length = 0;
    configure(natter, config);
    while (!signal.aborted) {
      ring.consume();
      const lines = waiting.splice(0).map((event) => line(natter, event, nameOfReason));
      if (lines.length > 0) yield new TextEncoder().encode(`${lines.join('\n')}\n`);
      else await pause(options.clock, signal);
    }
  } finally {
    configure(natter, OFF);
    ring.close();
    tracing.delete(natter);
  }
}

function configure({ datapath }: NatterService, config: TraceConfig): void {
  const map = datapath.map('trace_configs');
  map.update(new Uint8Array(map.keySize), datapath.layout.traceConfig.encode(config));
}

function line(natter: NatterService, event: TraceEvent, reasons: Map<number, string>): string {
  const link = natter.links.states.find((state) => state.link?.ifindex === event.ifindex);
  const { clock } = natter.options;
  const ageNs = natter.options.monotonicMicroseconds() * 1000n - BigInt(event.time_ns);
  const timeNs = BigInt(Math.round(clock.nowMs() * 1e6)) - ageNs;
  return JSON.stringify({
    timeNs: `${timeNs}`,
    interface: link?.name ?? `if${event.ifindex}`,
    egress: event.egress === 1,
    after: event.after === 1,
    reason: reasons.get(event.reason) ?? `${event.reason}`,
    frameBytes: event.frame_bytes,
    frame: Buffer.from(event.frame.subarray(0, event.snap_bytes)).toString('base64'),
  });
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(POLL_MS, signal).catch((reason: unknown) => {
    if (!signal.aborted) throw reason;
  });
}
