// `explain NAME TYPE --from ADDRESS`: the dns of this host answers that client, and says why.

import { typeCode } from '../dns/rdata.ts';
import { parsePrefix, prefixProblem } from '../net/prefix.ts';
import { nameProblem, parseDnsName } from '../site/dns-name.ts';
import { parseAddress } from '../site/peer.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { controlOf, fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import type { Colour } from './output.ts';

const COLOURS: Record<string, Colour> = {
  answered: 'green',
  delegated: 'green',
  'no-data': 'yellow',
  nxdomain: 'yellow',
};

type Question = { name: string; type: string; from: string; ecs?: string; dnssec?: true };

export const explainName: Run = async (context, args) => {
  const asked = questionOf(args);
  const control = controlOf(context, args, 'dns');
  const answer = fieldsOf(await control.post('/explain', asked), 'explain');
  const { out } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(answer, null, 2));
    return EXIT.ok;
  }
  const ecs = asked.ecs === undefined ? '' : ` with ECS ${asked.ecs}`;
  await out.line(`${asked.name} ${asked.type}, asked by ${asked.from}${ecs}`);
  for (const step of listOf(answer, 'steps')) await out.line(`  ${String(step)}`);
  const verdict = textOf(answer, 'verdict');
  const sent = typeof answer.rcode === 'string' ? answer.rcode : 'nothing is sent';
  await out.line(`${out.paint(COLOURS[verdict] ?? 'red', verdict)}: ${sent}`);
  for (const record of listOf(answer, 'answers')) await out.line(`  ${String(record)}`);
  const authorities = listOf(answer, 'authorities');
  if (authorities.length > 0) await out.line('authority:');
  for (const record of authorities) await out.line(`  ${String(record)}`);
  return EXIT.ok;
};

/** Throws UsageError. */
function questionOf({ positionals, values, switches }: Arguments): Question {
  const [text = '', typeText = 'A', ...more] = positionals;
  if (more.length > 0) throw new UsageError('one NAME and one TYPE at a time');
  const name = parseDnsName(text);
  if (name === undefined) throw new UsageError(nameProblem(text) ?? `"${text}" is no domain name`);
  const type = typeText.toUpperCase();
  if (typeCode(type) === undefined) {
    throw new UsageError(`"${typeText}" is no type such as A, AAAA, MX or TYPE65`);
  }
  const from = values.get('from');
  if (from === undefined) throw new UsageError('who asks? Give --from ADDRESS');
  const client = parseAddress(from);
  if (client === undefined) throw new UsageError(`--from "${from}" is no address`);
  const ecs = values.get('ecs');
  return {
    name,
    type,
    from: client,
    ...(ecs === undefined ? {} : { ecs: ecsOf(ecs) }),
    ...(switches.has('dnssec') ? { dnssec: true } : {}),
  };
}

/** An address alone is what a resolver makes of it: its /24 or /56. */
function ecsOf(text: string): string {
  const problem = prefixProblem(text);
  if (parsePrefix(text) !== undefined || parseAddress(text) !== undefined) return text;
  throw new UsageError(`--ecs: ${problem}`);
}
