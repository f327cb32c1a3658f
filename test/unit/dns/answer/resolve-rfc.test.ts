import { describe, expect, test } from 'vitest';
import { ask, imageOf, resolveOf, type Told } from '../../../support/dns/resolve-rig.ts';

type Case = Partial<Told> & { what: string; name: string; type: string };

function told({ rcode, aa, answer, authority, additional }: Partial<Told>): Told {
  return {
    rcode: rcode ?? 'NOERROR',
    aa: aa ?? true,
    answer: answer ?? [],
    authority: authority ?? [],
    additional: additional ?? [],
  };
}

describe('A3: the zone of RFC 4592 §2.2.1 and its own examples', () => {
  const resolve = resolveOf([
    imageOf(
      'example.',
      `$TTL 3600
@ SOA ns.example.com. host.example.com. 1 2 3 4 3600
@ NS ns.example.com.
@ NS ns.example.net.
* TXT "this is a wildcard"
* MX 10 host1
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host1
subdel NS ns.example.com.
subdel NS ns.example.net.
`,
    ),
  ]);
  const soa = 'example. 3600 SOA ns.example.com. host.example.com. 1 2 3 4 3600';
  const host1 = 'host1.example. 3600 A 192.0.2.1';
  const cases: Case[] = [
    {
      what: 'host3 has the wildcard’s MX',
      name: 'host3.example.',
      type: 'MX',
      answer: ['host3.example. 3600 MX 10 host1.example.'],
      additional: [host1],
    },
    { what: 'host3 has no A: no data', name: 'host3.example.', type: 'A', authority: [soa] },
    {
      what: 'a wildcard covers several labels',
      name: 'foo.bar.example.',
      type: 'TXT',
      answer: ['foo.bar.example. 3600 TXT "this is a wildcard"'],
    },
    { what: 'host1 exists', name: 'host1.example.', type: 'MX', authority: [soa] },
    { what: 'sub.* exists', name: 'sub.*.example.', type: 'MX', authority: [soa] },
    {
      what: '_tcp.host1 is the closest encloser',
      name: '_telnet._tcp.host1.example.',
      type: 'SRV',
      rcode: 'NXDOMAIN',
      authority: [soa],
    },
    {
      what: 'subdel is delegated',
      name: 'host.subdel.example.',
      type: 'A',
      aa: false,
      authority: [
        'subdel.example. 3600 NS ns.example.com.',
        'subdel.example. 3600 NS ns.example.net.',
      ],
    },
    {
      what: '* itself is the closest encloser, and has no * below it',
      name: 'ghost.*.example.',
      type: 'MX',
      rcode: 'NXDOMAIN',
      authority: [soa],
    },
    {
      what: '* asked for by its name',
      name: '*.example.',
      type: 'TXT',
      answer: ['*.example. 3600 TXT "this is a wildcard"'],
    },
    {
      what: 'host2 is an empty non-terminal',
      name: 'host2.example.',
      type: 'TXT',
      authority: [soa],
    },
  ];
  test.each(cases)('$what: $name $type', (each) => {
    expect(ask(resolve, each.name, each.type)).toMatchObject(told(each));
  });
});

describe('A2, A4, A5: RFC 1034 §6.2’s questions to C.ISI.EDU, which has the root and EDU', () => {
  const root = imageOf(
    '.',
    `$TTL 86400
. SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
. NS A.ISI.EDU.
. NS C.ISI.EDU.
. NS SRI-NIC.ARPA.
MIL. NS SRI-NIC.ARPA.
MIL. NS A.ISI.EDU.
EDU. NS SRI-NIC.ARPA.
EDU. NS C.ISI.EDU.
SRI-NIC.ARPA. A 26.0.0.73
SRI-NIC.ARPA. A 10.0.0.51
SRI-NIC.ARPA. MX 0 SRI-NIC.ARPA.
SRI-NIC.ARPA. HINFO "DEC-2060" "TOPS20"
USC-ISIC.ARPA. CNAME C.ISI.EDU.
73.0.0.26.IN-ADDR.ARPA. PTR SRI-NIC.ARPA.
A.ISI.EDU. A 26.3.0.103
C.ISI.EDU. A 10.0.0.52
`,
  );
  const edu = imageOf(
    'EDU.',
    `$TTL 86400
EDU. SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870729 1800 300 604800 86400
EDU. NS SRI-NIC.ARPA.
EDU. NS C.ISI.EDU.
ISI.EDU. NS VAXA.ISI.EDU.
ISI.EDU. NS A.ISI.EDU.
VAXA.ISI.EDU. A 10.2.0.27
A.ISI.EDU. A 26.3.0.103
`,
  );
  const resolve = resolveOf([root, edu]);
  const soa = '. 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400';
  const sriNic = ['sri-nic.arpa. 86400 A 10.0.0.51', 'sri-nic.arpa. 86400 A 26.0.0.73'];
  const isi = ['isi.edu. 86400 NS a.isi.edu.', 'isi.edu. 86400 NS vaxa.isi.edu.'];
  const cases: Case[] = [
    { what: '6.2.1', name: 'SRI-NIC.ARPA.', type: 'A', answer: sriNic },
    {
      what: '6.2.2, by A8 one RRset',
      name: 'SRI-NIC.ARPA.',
      type: 'ANY',
      answer: sriNic,
    },
    {
      what: '6.2.3',
      name: 'SRI-NIC.ARPA.',
      type: 'MX',
      answer: ['sri-nic.arpa. 86400 MX 0 sri-nic.arpa.'],
      additional: sriNic,
    },
    { what: '6.2.4', name: 'SRI-NIC.ARPA.', type: 'NS', authority: [soa] },
    { what: '6.2.5', name: 'SIR-NIC.ARPA.', type: 'A', rcode: 'NXDOMAIN', authority: [soa] },
    {
      what: '6.2.6, and the addresses that A9 has besides glue',
      name: 'BRL.MIL.',
      type: 'A',
      aa: false,
      authority: ['mil. 86400 NS a.isi.edu.', 'mil. 86400 NS sri-nic.arpa.'],
      additional: ['a.isi.edu. 86400 A 26.3.0.103', ...sriNic],
    },
    {
      what: '6.2.7: the chain goes on in EDU, where it is a referral',
      name: 'USC-ISIC.ARPA.',
      type: 'A',
      answer: ['usc-isic.arpa. 86400 CNAME c.isi.edu.'],
      authority: isi,
      additional: ['a.isi.edu. 86400 A 26.3.0.103', 'vaxa.isi.edu. 86400 A 10.2.0.27'],
    },
    {
      what: '6.2.8',
      name: 'USC-ISIC.ARPA.',
      type: 'CNAME',
      answer: ['usc-isic.arpa. 86400 CNAME c.isi.edu.'],
    },
    {
      what: 'the root’s own NS',
      name: '.',
      type: 'NS',
      answer: ['. 86400 NS a.isi.edu.', '. 86400 NS c.isi.edu.', '. 86400 NS sri-nic.arpa.'],
      additional: ['a.isi.edu. 86400 A 26.3.0.103', 'c.isi.edu. 86400 A 10.0.0.52', ...sriNic],
    },
  ];
  test.each(cases)('$what: $name $type', (each) => {
    const heard = ask(resolve, each.name, each.type);
    const lower = (lines: readonly string[]) =>
      lines.map((line) => line.replace(/\S+\.(?=$| )/g, (name) => name.toLowerCase()));
    const got = {
      rcode: heard.rcode,
      aa: heard.aa,
      answer: lower(heard.answer),
      authority: lower(heard.authority),
      additional: lower(heard.additional).toSorted(),
    };
    const expected = told(each);
    expect(got).toEqual({ ...expected, authority: lower(expected.authority) });
  });
});
