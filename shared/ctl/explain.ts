// `explain`: the daemon runs the live program on a packet of the flow; the steps are printed.

import { parseMac } from '../net/mac.ts';
import { type Run, UsageError } from './command.ts';
import { controlOf, fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { explainLease } from './explain-lease.ts';
import { formatFlow, parseFlow } from './flow.ts';

/** A MAC asks dhcpd, anything else is a flow and asks natter. */
export const explain: Run = async (context, args) => {
  const [first = ''] = args.positionals;
  if (parseMac(first) !== undefined) return explainLease(context, args);
  if (args.positionals.length === 1 && /^[0-9a-f]{2}[:-]/i.test(first)) {
    throw new UsageError(`"${first}" is no MAC such as 02:00:00:00:00:01`);
  }
  const flow = parseFlow(args.positionals.join(' '));
  if (typeof flow === 'string') throw new UsageError(flow);
  const answer = fieldsOf(await controlOf(context, args).post('/explain', flow), 'explain');
  const { out } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(answer, null, 2));
    return EXIT.ok;
  }
  await out.line(formatFlow(flow));
  for (const step of listOf(answer, 'steps')) await out.line(`  ${String(step)}`);
  const verdict = textOf(answer, 'verdict');
  const colour = verdict === 'dropped' ? 'red' : verdict === 'translated' ? 'green' : 'yellow';
  await out.line(`${out.paint(colour, verdict)}: ${textOf(answer, 'reason')}`);
  const after = answer.translated;
  if (typeof after === 'string') await out.line(`leaves as ${after}`);
  return EXIT.ok;
};
