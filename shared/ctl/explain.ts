// `explain`: the daemon runs the live program on a packet of the flow; the steps are printed. What
// is no flow goes to who knows: explain-request.ts, explain-lease.ts, explain-name.ts.

import { parseMac } from '../net/mac.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { explainLease } from './explain-lease.ts';
import { explainName } from './explain-name.ts';
import { explainRequest, isRequest } from './explain-request.ts';
import { formatFlow, parseFlow } from './flow.ts';
import type { Colour } from './output.ts';

/** Flags that only who asks dns brings along. */
const ASKS_DNS = ['from', 'ecs', 'dnssec'];

/** It has a letter, as names under in-addr.arpa have, and is no address, alone or with a port. */
function isName([first = '', ...more]: readonly string[]): boolean {
  const isFlow = /[\s>]/.test(first) || /^\d+(\.\d+){3}([:/-]|$)/.test(first);
  return !isFlow && more.length <= 1 && /[a-z]/i.test(first) && !/^[\d.]+$/.test(more[0] ?? '');
}

/** The verdicts of natter and lb; any other is that nothing was done to it. */
const COLOURS: Record<string, Colour> = { dropped: 'red', translated: 'green', sent: 'green' };

/** A URL asks lb, a MAC dhcpd, a name dns, anything else is a flow and asks natter, or lb. */
export const explain: Run = async (context, args) => {
  const [first = ''] = args.positionals;
  const service = args.values.get('service');
  if (isRequest(args.positionals) || args.lists.has('header')) return explainRequest(context, args);
  if (service !== undefined) return explainFlow(context, args, service);
  if (ASKS_DNS.some((name) => args.values.has(name) || args.switches.has(name))) {
    return explainName(context, args);
  }
  if (parseMac(first) !== undefined) return explainLease(context, args);
  if (args.positionals.length === 1 && /^[0-9a-f]{2}[:-]/i.test(first)) {
    throw new UsageError(`"${first}" is no MAC such as 02:00:00:00:00:01`);
  }
  if (isName(args.positionals)) return explainName(context, args);
  return explainFlow(context, args, 'natter');
};

async function explainFlow(context: Context, args: Arguments, service: string): Promise<number> {
  const flow = parseFlow(args.positionals.join(' '));
  if (typeof flow === 'string') throw new UsageError(flow);
  const answer = fieldsOf(
    await controlOf(context, args, service).post('/explain', flow),
    'explain',
  );
  const { out } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(answer, null, 2));
    return EXIT.ok;
  }
  await out.line(formatFlow(flow));
  for (const step of listOf(answer, 'steps')) await out.line(`  ${String(step)}`);
  const verdict = textOf(answer, 'verdict');
  await out.line(
    `${out.paint(COLOURS[verdict] ?? 'yellow', verdict)}: ${textOf(answer, 'reason')}`,
  );
  const after = answer.translated;
  if (typeof after === 'string') await out.line(`leaves as ${after}`);
  return EXIT.ok;
}
