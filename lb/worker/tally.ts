// What a worker counts of requests and connections: by listener, route, cause and status. An entry
// costs a few array increments. Pure.
import type { AccessEntry, TerminationCause } from '../l7/types.ts';
import { LATENCY_BOUNDS, type ListenerStats, type RequestStats } from '../workers/messages.ts';

const STATUS_CLASSES = 6;

type Route = { listener: string; route: string; counts: Map<TerminationCause, Float64Array> };
export class Tally {
  readonly listeners = new Map<string, ListenerStats>();
  readonly latency = { counts: Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sumSeconds: 0 };
  readonly #routes = new Map<string, Map<string, Route>>();

  handshakeFailed(name: string, why: string): void {
    const failed = this.listener(name).handshakes;
    failed[why] = (failed[why] ?? 0) + 1;
  }

  listener(name: string): ListenerStats {
    const found = this.listeners.get(name);
    if (found !== undefined) return found;
    const counts = { accepted: 0, shed: 0, denied: 0, open: 0, bytesIn: 0, bytesOut: 0 };
    const fresh = { listener: name, ...counts, handshakes: {} };
    this.listeners.set(name, fresh);
    return fresh;
  }

  ended(entry: AccessEntry): void {
    const { listener, route, cause, status } = entry;
    const counts = this.#route(listener, route).counts;
    let classes = counts.get(cause);
    if (classes === undefined) {
      classes = new Float64Array(STATUS_CLASSES);
      counts.set(cause, classes);
    }
    const at = Math.floor(status / 100);
    classes[at < STATUS_CLASSES ? at : 0] = (classes[at] ?? 0) + 1;
    const own = this.listener(listener);
    own.bytesIn += entry.bytesIn;
    own.bytesOut += entry.bytesOut;
    this.#time((entry.endedMs - entry.startedMs) / 1000);
  }

  requests(): RequestStats[] {
    const told: RequestStats[] = [];
    for (const routes of this.#routes.values()) {
      for (const { listener, route, counts } of routes.values()) {
        for (const [cause, classes] of counts) {
          for (const [status, count] of classes.entries()) {
            if (count > 0) told.push({ listener, route, cause, status, count });
          }
        }
      }
    }
    return told;
  }

  #route(listener: string, route: string): Route {
    let routes = this.#routes.get(listener);
    if (routes === undefined) {
      routes = new Map();
      this.#routes.set(listener, routes);
    }
    let found = routes.get(route);
    if (found === undefined) {
      found = { listener, route, counts: new Map() };
      routes.set(route, found);
    }
    return found;
  }

  #time(seconds: number): void {
    let at = 0;
    while (at < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[at] ?? 0)) at++;
    this.latency.counts[at] = (this.latency.counts[at] ?? 0) + 1;
    this.latency.sumSeconds += seconds;
  }
}
