// What was played, in the words of a row: as text to compare, and in short for the table.
import { wire } from '../../../unit/lb/http1/cases.ts';
import { fieldOf, type Message, statusOf } from './messages.ts';
import type { Played } from './play.ts';
import type { Row } from './row.ts';

const SELF = 'edge-lb-rig';
const OWN_FIELDS = new RegExp(
  ['X-Forwarded-For: [^\r]*', 'X-Forwarded-Proto: http', 'X-Forwarded-Port: \\d+', 'Forwarded: .*']
    .map((line) => `${line}\r\n`)
    .concat('(?:X-Forwarded-Host: [^\r]*\r\n)?')
    .join(''),
);
const VIA = new RegExp(`Via: 1\\.[01] ${SELF}\r\n`);
const DATE = /Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/;

/** Both sides, and how they were left; `expected` and `found` are equal when all is as said. */
export type Told = { sent: string[]; heard: string[]; left: string; upstream: string };

export function expected({ sent, heard, left, upstream }: Row): Told {
  return {
    sent: sent.map(text),
    heard: heard.map((one) => (typeof one === 'number' ? `page ${one}` : text(one))),
    left,
    upstream,
  };
}

export function found(row: Row, { sent, heard, left, upstream }: Played): Told {
  return {
    sent: sent.map((message) => asSent(row, message)),
    heard: heard.map((message, index) => asHeard(row, message, index)),
    left,
    upstream,
  };
}

function text(said: string): string {
  return wire(said).toString('latin1');
}

function asSent({ own }: Row, message: Message): string {
  if (own) return message.text.replace(/(X-Forwarded-Port: )\d+/, '$180');
  if (!message.head.endsWith('\r\n\r\n')) return message.text;
  const behind = message.text.slice(message.head.length);
  const bare = message.head.replace(OWN_FIELDS, '').replace(VIA, '');
  const isWhole = OWN_FIELDS.test(message.head) && VIA.test(message.head);
  return (isWhole ? bare : `without our own fields: ${message.head}`) + behind;
}

function asHeard({ heard }: Row, message: Message, index: number): string {
  const status = statusOf(message);
  if (typeof heard[index] === 'number') {
    const isPage =
      message.isWhole && (message.body === '' || message.body.startsWith(`${status} `));
    return isPage ? `page ${status}` : message.text;
  }
  const behind = message.text.slice(message.head.length);
  const own = message.head.replace(VIA, '').replace(DATE, '');
  const isDone = VIA.test(message.head) && (status < 200 || DATE.test(message.head));
  return (isDone ? own : `without our own fields: ${message.head}`) + behind;
}

/** For people, and to compare with others: what does not depend on how a balancer writes fields. */
export function summary(row: Row, played: Played): string {
  const { sent, heard, left, upstream, isStuck } = played;
  const requests = sent.map((message) => shortRequest(row, message)).join(' + ');
  const responses = repeated(heard.map((message) => shortResponse(row, message))).join(' + ');
  const target = sent.length === 0 ? '' : `${requests} → `;
  const isOpen = upstream === 'unused' || left === 'waits' || left === 'hangs';
  const kept = isOpen ? '' : `, target ${upstream}`;
  const stuck = isStuck ? ' (a script is stuck)' : '';
  return `${target}${responses === '' ? 'no answer' : responses}, ${left}${kept}${stuck}`;
}

/** How many final responses of a summary are no errors. */
export function goodAnswers(words: string): number {
  const answers = words.slice(words.lastIndexOf(' → ') + 3).split(' + ');
  return answers.filter((answer) => !/^(no answer|[145]\d\d\b|\d+ × 1)/.test(answer)).length;
}

/** The same several times in a row is said once. */
function repeated(words: readonly string[]): string[] {
  const runs: { word: string; times: number }[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last?.word === word && word.startsWith('1')) last.times++;
    else runs.push({ word, times: 1 });
  }
  return runs.map(({ word, times }) => (times === 1 ? word : `${times} × ${word}`));
}

function shortRequest(row: Row, message: Message): string {
  const [line = ''] = message.head.split('\r\n');
  const host = fieldOf(message, 'host');
  const shownHost = host === 'a' ? '' : ` Host=${host ?? 'none'}`;
  return `${short(line.replace(/ HTTP\/1\.1$/, ''))}${shownHost}${details(row, message)}`;
}

function shortResponse(row: Row, message: Message): string {
  const status = statusOf(message);
  // Everybody has pages of his own.
  if (status >= 400 && !row.heard.some((one) => String(one).includes(` ${status} `))) {
    return String(status);
  }
  return `${status === 0 ? short(message.head) : status}${details(row, message)}`;
}

function details({ watch }: Row, message: Message): string {
  const fields = watch.flatMap((name) => {
    const value = fieldOf(message, name);
    return value === undefined ? [] : [` ${name}=${short(value)}`];
  });
  const body = message.body === '' ? '' : ` ${JSON.stringify(short(message.body))}`;
  const isTrailed = message.trailers !== '' && watch.includes('trailers');
  const trailers = isTrailed ? ` trailers=${short(message.trailers.trim())}` : '';
  return `${fields.join('')}${body}${trailers}${message.isWhole ? '' : ' cut'}`;
}

function short(words: string): string {
  const shown = words.replaceAll(/[^ -~]/g, (each) => {
    return `<${each.charCodeAt(0).toString(16).padStart(2, '0')}>`;
  });
  return shown.length <= 40 ? shown : `${shown.slice(0, 32)}… (${shown.length})`;
}
