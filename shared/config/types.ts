// The words of every configuration: addresses, rates, durations and the like as operators write
// them, as the numbers that the code works with. Each is a codec, so that --print-config can write
// it back.
import { z } from 'zod';
import { formatIpv4, type Ipv4, parseIpv4 } from '../net/ipv4.ts';
import { formatIpv6, type Ipv6, parseIpv6 } from '../net/ipv6.ts';
import { formatMac, type Mac, parseMac } from '../net/mac.ts';
import {
  type Endpoint,
  formatEndpoint,
  formatPortRange,
  type PortRange,
  parseEndpoint,
  parsePortRange,
} from '../net/ports.ts';
import { formatPrefix, type Prefix, parsePrefix, prefixProblem } from '../net/prefix.ts';
import {
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from '../net/units.ts';
import { nameOf } from './value-name.ts';

/** A codec for text that `parse` reads and `format` writes; `expected` completes "expected …". */
export function written<Value>(
  expected: string,
  parse: (text: string) => Value | undefined,
  format: (value: Value) => string,
  explain: (text: string) => string | undefined = () => undefined,
) {
  const text = z.string({
    error: ({ input }) => `expected ${expected}, this is ${nameOf(input)}`,
  });
  return z.codec(text, z.custom<Value>(), {
    decode: (written, context) => {
      const value = parse(written);
      if (value !== undefined) return value;
      const message = explain(written) ?? `${JSON.stringify(written)} is not ${expected}`;
      context.issues.push({ code: 'custom', message, input: written });
      return z.NEVER;
    },
    encode: format,
  });
}

export const ipv4Address = written<Ipv4>(
  'an IPv4 address such as 192.0.2.1',
  parseIpv4,
  formatIpv4,
);
export const ipv6Address = written<Ipv6>(
  'an IPv6 address such as 2001:db8::1',
  parseIpv6,
  formatIpv6,
);
export const macAddress = written<Mac>(
  'a MAC address such as 02:00:00:00:00:01',
  parseMac,
  formatMac,
);
export const prefix = written<Prefix>('a prefix', parsePrefix, formatPrefix, prefixProblem);
export const rate = written<number>('a rate such as 100mbit', parseRate, formatRate);
export const size = written<number>('a size such as 64kb', parseSize, formatSize);
export const duration = written<number>('a duration such as 30s', parseDuration, formatDuration);
export const portRange = written<PortRange>(
  'a port or a range such as 8000-8099',
  parsePortRange,
  formatPortRange,
);
export const endpoint = written<Endpoint>(
  'host:port such as 127.0.0.1:9100',
  parseEndpoint,
  formatEndpoint,
);

export const port = z.int().min(1).max(65535);

/** A duration with its bounds, as written: `durationWithin('100ms', '1h')`. */
export function durationWithin(least: string, most: string) {
  const [leastMs, mostMs] = [parseDuration(least), parseDuration(most)];
  if (leastMs === undefined || mostMs === undefined) throw new RangeError(`${least}, ${most}`);
  return duration.refine((ms) => ms >= leastMs && ms <= mostMs, `must be ${least} to ${most}`);
}

/** A name for a node, a group and the like: it appears in keys, labels and logs. */
export const name = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not a name: letters, digits, dots and dashes, 64 at most`,
});

export const absolutePath = z.string().regex(/^\/[^\0]*$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not an absolute path`,
});
