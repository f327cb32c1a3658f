// Every metric of a console.
import type { Metrics, MetricTable } from '../shared/metrics.ts';
import type { ConsoleService } from './service.ts';

export const consoleMetrics = {
  answers: {
    type: 'counter',
    name: 'edge_console_answers_total',
    help: 'Answers to visitors by HTTP status.',
    labels: ['status'],
  },
  rounds: {
    type: 'counter',
    name: 'edge_console_rounds_total',
    help: 'Rounds of reading the store and all members.',
  },
  roundSeconds: {
    type: 'gauge',
    name: 'edge_console_round_seconds',
    help: 'How long the last round took.',
  },
  members: {
    type: 'gauge',
    name: 'edge_console_members',
    help: 'Members by whether their pages were read in the last round.',
    labels: ['state'],
  },
  problems: {
    type: 'gauge',
    name: 'edge_console_problems',
    help: 'What is wrong with the site now, by how bad it is.',
    labels: ['level'],
  },
} as const satisfies MetricTable;

/** `service`: undefined until it has been made. */
export function declareConsoleMetrics(
  metrics: Metrics,
  service: () => ConsoleService | undefined,
): void {
  metrics.declare(consoleMetrics, (own) => {
    const running = service();
    if (running === undefined) return;
    const { counts, site, view } = running;
    for (const [status, count] of counts.answers) {
      own.answers.setTotal(count, { status: String(status) });
    }
    own.rounds.setTotal(counts.rounds);
    own.roundSeconds.set(counts.roundMs / 1000);
    const readings = site?.readings ?? [];
    const unread = readings.filter(({ problems, ageMs }) => problems.size > 0 || ageMs === null);
    own.members.set(readings.length - unread.length, { state: 'read' });
    own.members.set(unread.length, { state: 'unread' });
    for (const level of ['bad', 'warn'] as const) {
      const count = view?.problems.filter((each) => each.level === level).length ?? 0;
      own.problems.set(count, { level });
    }
    metrics.everywhere.storeUp.set(site?.store.problem === undefined ? 1 : 0);
    const ageMs = site?.store.ageMs ?? null;
    if (ageMs !== null) metrics.everywhere.snapshotAge.set(ageMs / 1000);
  });
}
