// Types of RFC 1035 and other plain ones of names, numbers, addresses and texts, as rows of the
// table. Pure.
import { type Field, formatGeneric, RdataError, type Row, row } from './fields.ts';
import { hex } from './fields-binary.ts';
import { texts } from './fields-list.ts';
import { ipv4, ipv6, name, optionalText, period, text, u16, u32 } from './fields-scalar.ts';

/** What has no form but the generic one, of any length. */
const anything: Field = {
  parse() {
    throw new RdataError('write the data as \\# length hex');
  },
  length: (rdata, at) => rdata.length - at,
  format: formatGeneric,
};

const compressible = (what: string): Field => name(what, 'compressible');
const received = (what: string): Field => name(what, 'received');

export const basicTypes: readonly Row[] = [
  row('A', 1035, [ipv4('address')]),
  row('NS', 1035, [compressible('name server')]),
  row('MD', 1035, [compressible('mail agent')]),
  row('MF', 1035, [compressible('mail agent')]),
  row('CNAME', 1035, [compressible('target')]),
  row('SOA', 1035, [
    compressible('primary server'),
    compressible('mailbox'),
    u32('serial'),
    period('refresh'),
    period('retry'),
    period('expire'),
    period('minimum'),
  ]),
  row('MB', 1035, [compressible('host')]),
  row('MG', 1035, [compressible('mailbox')]),
  row('MR', 1035, [compressible('mailbox')]),
  row('NULL', 1035, [anything]),
  row('PTR', 1035, [compressible('target')]),
  row('HINFO', 1035, [text('CPU'), text('OS')]),
  row('MINFO', 1035, [compressible('mailbox'), compressible('mailbox for errors')]),
  row('MX', 1035, [u16('preference'), compressible('exchange')]),
  row('TXT', 1035, [texts('text')]),
  row('RP', 1183, [received('mailbox'), received('name of text')]),
  row('AFSDB', 1183, [u16('subtype'), received('host')]),
  row('X25', 1183, [text('address')]),
  row('ISDN', 1183, [text('address'), optionalText('subaddress')]),
  row('RT', 1183, [u16('preference'), received('host')]),
  row('PX', 2163, [u16('preference'), received('RFC 822 domain'), received('X.400 domain')]),
  row('GPOS', 1712, [text('longitude'), text('latitude'), text('altitude')]),
  row('AAAA', 3596, [ipv6('address')]),
  row('EID', 'draft-ietf-nimrod-dns', [hex('identifier')]),
  row('NIMLOC', 'draft-ietf-nimrod-dns', [hex('locator')]),
  row('SRV', 2782, [u16('priority'), u16('weight'), u16('port'), received('target')]),
  row('NAPTR', 3403, [
    u16('order'),
    u16('preference'),
    text('flags'),
    text('services'),
    text('regular expression'),
    received('replacement'),
  ]),
  row('KX', 2230, [u16('preference'), name('exchanger')]),
  row('DNAME', 6672, [name('target')]),
  row('NINFO', 'draft-reid-dnsext-zs', [texts('text')]),
  row('TALINK', 'draft-wijngaards-dnsop-trust-history', [name('previous'), name('next')]),
  row('SPF', 7208, [texts('text')]),
  row('AVC', 'Cisco', [texts('text')]),
  row('RESINFO', 9606, [texts('key')]),
  row('WALLET', 'IANA', [texts('text')]),
  row('ALIAS', 'private use', [name('target')]),
];
