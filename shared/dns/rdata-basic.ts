// Types of RFC 1035 and of its first successors, as rows of the table. Pure.
import { type Field, type Row, row } from './fields.ts';
import { texts } from './fields-list.ts';
import { ipv4, ipv6, name, period, u16, u32 } from './fields-scalar.ts';

const compressible = (what: string): Field => name(what, 'compressible');
const received = (what: string): Field => name(what, 'received');

export const basicTypes: readonly Row[] = [
  row('A', 1035, [ipv4('address')]),
  row('NS', 1035, [compressible('name server')]),
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
  row('PTR', 1035, [compressible('target')]),
  row('MX', 1035, [u16('preference'), compressible('exchange')]),
  row('TXT', 1035, [texts('text')]),
  row('ALIAS', 'private use', [name('target')]),
  row('AAAA', 3596, [ipv6('address')]),
  row('SRV', 2782, [u16('priority'), u16('weight'), u16('port'), received('target')]),
];
