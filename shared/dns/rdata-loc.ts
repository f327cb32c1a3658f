// LOC: where on earth something is (RFC 1876): degrees, minutes, seconds, metres of altitude, and
// how exact that is. Pure.
import { type Field, quote, RdataError, type Row, row, type Words } from './fields.ts';

/** Of the scales: thousandths of a second of arc from here, centimetres above 100 km below zero. */
const EQUATOR = 2 ** 31;
const LOWEST_CM = 10_000_000;
const DEGREE = 3_600_000;
/** Size and precisions where nothing is said: 1 m, 10 km, 10 m. */
const DEFAULTS = [0x12, 0x16, 0x13];

function fail(text: string, wanted: string): never {
  throw new RdataError(`${quote(text)} is not ${wanted}`);
}

/** Degrees, perhaps minutes, perhaps seconds, and the letter of the half. */
function angle(words: Words, halves: 'NS' | 'EW', most: number): number {
  const limits = [most, 59, 59.999];
  let value = 0;
  for (let part = 0; ; part++) {
    const text = words.next(halves === 'NS' ? 'latitude' : 'longitude');
    const half = part > 0 && text.length === 1 ? halves.indexOf(text.toUpperCase()) : -1;
    if (half >= 0) {
      if (value > most * DEGREE) throw new RdataError(`an angle is beyond ${most} degrees`);
      return half === 0 ? EQUATOR + value : EQUATOR - value;
    }
    const limit = limits[part];
    const form = part === 2 ? /^\d{1,2}(\.\d{1,3})?$/ : /^\d{1,3}$/;
    if (limit === undefined || !form.test(text) || Number(text) > limit) {
      fail(text, `degrees, minutes, seconds and ${halves[0]} or ${halves[1]}`);
    }
    value += Math.round((Number(text) * DEGREE) / 60 ** part);
  }
}

function centimetres(text: string): number {
  if (!/^-?\d{1,8}(\.\d{1,2})?m?$/i.test(text)) fail(text, 'metres, as 12.50m');
  return Math.round(Number(text.replace(/m$/i, '')) * 100);
}

/** One digit and the power of ten that it is multiplied by; more digits are cut off (§2). */
function precision(text: string): number {
  const value = centimetres(text);
  if (value < 0 || value > 9e9) fail(text, 'metres, 0 to 90000000');
  const power = value < 10 ? 0 : String(value).length - 1;
  return Math.floor(value / 10 ** power) * 16 + power;
}

function parse(words: Words): Uint8Array {
  const latitude = angle(words, 'NS', 90);
  const longitude = angle(words, 'EW', 180);
  const text = words.next('altitude');
  const altitude = centimetres(text) + LOWEST_CM;
  if (altitude < 0 || altitude > 0xffffffff) fail(text, 'metres from -100000 to 42849672.95');
  const exact = DEFAULTS.map((byte) => (words.left === 0 ? byte : precision(words.next('size'))));
  const rdata = new Uint8Array(16);
  rdata.set(exact, 1);
  const view = new DataView(rdata.buffer);
  view.setUint32(4, latitude);
  view.setUint32(8, longitude);
  view.setUint32(12, altitude);
  return rdata;
}

function formatAngle(value: number, halves: 'NS' | 'EW', most: number): string {
  const off = Math.abs(value - EQUATOR);
  if (off > most * DEGREE) throw new RdataError(`an angle is beyond ${most} degrees`);
  const minutes = Math.floor(off / 60_000) % 60;
  const seconds = ((off % 60_000) / 1000).toFixed(3);
  return `${Math.floor(off / DEGREE)} ${minutes} ${seconds} ${halves[value >= EQUATOR ? 0 : 1]}`;
}

function formatPrecision(byte: number): string {
  const [digit, power] = [byte >>> 4, byte & 15];
  if (digit > 9 || power > 9) throw new RdataError('a size or a precision is none');
  const value = digit * 10 ** power;
  return `${(value / 100).toFixed(power < 2 ? 2 : 0)}m`;
}

function format(part: Uint8Array): string {
  if (part[0] !== 0) throw new RdataError(`version ${part[0]} of LOC is not known`);
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  const texts = [
    formatAngle(view.getUint32(4), 'NS', 90),
    formatAngle(view.getUint32(8), 'EW', 180),
    `${((view.getUint32(12) - LOWEST_CM) / 100).toFixed(2)}m`,
    ...Array.from(part.subarray(1, 4), formatPrecision),
  ];
  return texts.join(' ');
}

const location: Field = { parse, length: () => 16, format };

export const locTypes: readonly Row[] = [row('LOC', 1876, [location])];
