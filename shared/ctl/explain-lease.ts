// `explain MAC`: the dhcpd of this host runs its decision for a client, and changes nothing.

import { parseIpv4 } from '../net/ipv4.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { controlOf, fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { macOf } from './lease.ts';

export const explainLease: Run = async (context, args) => {
  const asked = questionOf(args);
  const control = controlOf(context, args, 'dhcpd');
  const answer = fieldsOf(await control.post('/explain', asked), 'explain');
  const { out } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(answer, null, 2));
    return EXIT.ok;
  }
  await out.line(`a DISCOVER of ${asked.mac}`);
  for (const step of listOf(answer, 'steps')) await out.line(`  ${String(step)}`);
  const verdict = textOf(answer, 'verdict');
  const colour = verdict === 'offered' ? 'green' : 'red';
  const { address, last } = answer;
  const which = typeof address === 'string' ? ` ${address}` : '';
  await out.line(`${out.paint(colour, `${verdict}${which}`)}: ${textOf(answer, 'reason')}`);
  if (typeof last === 'object' && last !== null) await out.line(lastLine(fieldsOf(last, 'last')));
  return EXIT.ok;
};

function lastLine(last: Record<string, unknown>): string {
  const { time, type, reason, address } = last;
  const which = typeof address === 'string' ? ` ${address}` : '';
  return `last heard ${String(time)}: ${String(type)}${which}, ${String(reason)}`;
}

/** Throws UsageError. */
function questionOf({ positionals, values }: Arguments): Record<string, string> {
  if (positionals.length > 1) throw new UsageError('one MAC at a time');
  const question: Record<string, string> = { mac: macOf(positionals[0] ?? '') };
  for (const name of ['relay', 'requested'] as const) {
    const text = values.get(name);
    if (text === undefined) continue;
    if (parseIpv4(text) === undefined) throw new UsageError(`--${name} "${text}" is no address`);
    question[name] = text;
  }
  const names = { 'client-id': 'clientId', 'circuit-id': 'circuitId' } as const;
  for (const [flag, field] of Object.entries(names)) {
    const text = values.get(flag);
    if (text !== undefined) question[field] = hexOf(flag, text);
  }
  const link = values.get('link');
  return link === undefined ? question : { ...question, link };
}

/** The site file takes texts as well; here `cafe` could be either. */
function hexOf(flag: string, text: string): string {
  if (/^([0-9a-f]{2}){1,255}$/i.test(text)) return text;
  const meant = Buffer.from(text).toString('hex');
  throw new UsageError(`--${flag} "${text}" is not hexadecimal; if it is a text, write ${meant}`);
}
