// Certificates as text (RFC 7468): only their shape, since what is in them is read where there is a
// library for it. A private key is never a part of the site. Pure.
import type { ObjectProblem } from './problem.ts';

export const MAX_PEM_CHARACTERS = 65_536;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g;
const LABEL = 'CERTIFICATE';
const LINE = 64;

type Block = { label: string; base64: string };

function blocksOf(text: string): Block[] {
  return [...text.matchAll(BLOCK)].map(([, label = '', body = '', end]) => ({
    label: label === end ? label : '',
    base64: body.replace(/\s/g, ''),
  }));
}

/**
 * The certificates alone, one after the other in lines of 64; text around them is dropped. The text
 * itself where pemProblem() has something to say.
 */
export function canonicalPem(text: string): string {
  if (pemProblem(text) !== undefined) return text;
  return blocksOf(text).map(written).join('');
}

function written({ label, base64 }: Block): string {
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Why a text is not one or more certificates. Nothing of it is in the message. */
export function pemProblem(text: string): ObjectProblem | undefined {
  if (/PRIVATE KEY/.test(text)) {
    return {
      message: 'holds a private key, which is never stored',
      remedy: 'leave only the certificates; the key is the file <keyDirectory>/NAME.key of each lb',
    };
  }
  if (text === '') return { message: 'is missing', remedy: 'give the text, or the name of a file' };
  const blocks = blocksOf(text);
  if (blocks.length === 0 || blocks.length !== text.split('-----BEGIN').length - 1) {
    const remedy = 'it is text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----';
    return { message: 'is no certificate in PEM', remedy };
  }
  if (text.length > MAX_PEM_CHARACTERS) {
    return { message: `has more than ${MAX_PEM_CHARACTERS} characters` };
  }
  for (const [index, { label, base64 }] of blocks.entries()) {
    const which = blocks.length === 1 ? '' : `block ${index + 1} `;
    if (label !== LABEL) return { message: `${which}is ${label || 'cut'}, not a certificate` };
    if (!isDer(base64)) return { message: `${which}is damaged` };
  }
  return undefined;
}

/** One SEQUENCE that is as long as it says (X.690, 8.1.3). */
function isDer(base64: string): boolean {
  const isBase64 = base64.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  if (!isBase64) return false;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const [tag, first = 0] = bytes;
  if (tag !== 0x30) return false;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 3) return false;
  const length = bytes.subarray(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
  return bytes.length === 2 + more + (first < 0x80 ? first : length);
}
