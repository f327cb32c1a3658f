// An answer as a line of text, for tables that people read and for comparing servers: rcode, flags,
// sections, EDNS. Names are relative to example.com; the order of records does not count.
import { rcodeName, TYPES } from '../../../shared/dns/constants.ts';
import { type Edns, ednsOf } from '../../../shared/dns/edns.ts';
import { decodeMessage } from '../../../shared/dns/message.ts';
import { formatName } from '../../../shared/dns/names.ts';
import { typeName, typeOf } from '../../../shared/dns/rdata.ts';
import type { Message, MessageRecord } from '../../../shared/dns/types.ts';
import { bytesOf } from '../../unit/dns/answer/packets.ts';

export const SILENCE = 'silence';
const SHOWN_CHARACTERS = 60;
// biome-ignore format: one line
const FLAGS = [['aa', 0x400], ['tc', 0x200], ['rd', 0x100], ['ra', 0x80], ['z', 0x40],
  ['ad', 0x20], ['cd', 0x10]] as const;

/** `query`: hex, whose question is looked for in the answer. */
export function told(query: string, answer: Buffer | undefined): string {
  if (answer === undefined) return SILENCE;
  const sent = bytesOf(query);
  if (!answer.subarray(0, 2).equals(sent.subarray(0, 2))) return 'another id';
  if (answer.length < 12 || (answer[2] ?? 0) < 0x80) return 'no response';
  let message: Message;
  try {
    message = decodeMessage(answer);
  } catch (error) {
    return `unreadable: ${(error as Error).message} ${answer.toString('hex')}`;
  }
  const { flags, answers, authorities, additionals } = message;
  const edns = ednsOf(message);
  const rcode = rcodeName((flags & 15) + 16 * (edns?.extendedRcode ?? 0));
  const set = FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
  const opcode = (flags >> 11) & 15;
  const others = additionals.filter(({ type }) => type !== TYPES.OPT);
  return [
    [rcode, ...(opcode === 0 ? [] : [`opcode ${opcode}`]), ...set].join(' '),
    ...asked(sent, answer, message),
    ...section('', answers),
    ...section('authority: ', authorities),
    ...section('additional: ', others),
    ...(edns === undefined ? [] : [ednsText(edns)]),
  ].join('; ');
}

/** Nothing is said of a question that is byte for byte that of the query. */
function asked(sent: Uint8Array, answer: Buffer, { questions }: Message): string[] {
  const [question] = questions;
  if (question === undefined) return ['no question'];
  const end = 12 + question.name.length + 4;
  const isSame = answer.subarray(12, end).equals(sent.subarray(12, end));
  return isSame && questions.length === 1 ? [] : [`${questions.length} other questions`];
}

function section(title: string, records: readonly MessageRecord[]): string[] {
  if (records.length === 0) return [];
  return [title + records.map(recordText).sort().join(', ')];
}

function recordText({ owner, type, ttlSeconds, rdata, class: of }: MessageRecord): string {
  const data = typeOf(type).format(rdata);
  const shown = data.length > SHOWN_CHARACTERS ? `(${rdata.length} bytes)` : relative(data);
  const inClass = of === 1 ? [] : [`CLASS${of}`];
  const name = relative(formatName(owner).toLowerCase());
  return [name, ttlSeconds, ...inClass, typeName(type), shown].join(' ');
}

function relative(text: string): string {
  return text.replaceAll('.example.com.', '').replaceAll(/\bexample\.com\./g, '@');
}

/** How much the server itself takes is its own affair, and not said. */
function ednsText({ version, dnssecOk, options }: Edns): string {
  const said = options.map(({ code, data }) => {
    if (code !== 8) return `${OPTIONS.get(code) ?? code} of ${data.length}`;
    const address = Buffer.from(data.subarray(4)).toString('hex');
    return `ECS ${data[1]} ${address || '-'}/${data[2]} scope ${data[3]}`;
  });
  const words = ['OPT', ...(version === 0 ? [] : [`version ${version}`])];
  return [[...words, ...(dnssecOk ? ['do'] : [])].join(' '), ...said].join(', ');
}

const OPTIONS = new Map([
  [3, 'NSID'],
  [10, 'COOKIE'],
  [11, 'KEEPALIVE'],
  [12, 'PADDING'],
]);
