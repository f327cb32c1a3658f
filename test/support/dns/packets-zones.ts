// The zones that conformance is measured on, for ours and for others.

/** As many bytes of TXT as do not fit in 512, or in 1232. */
const txt = (times: number): string => `"${'x'.repeat(99)}" `.repeat(times);

/** Which gdnsd loads, too. */
const EVERYWHERE = `$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
@ NS ns2.example.net.
@ MX 10 mail
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
www A 192.0.2.1
mail A 192.0.2.25
v6 AAAA 2001:db8::6
a.b.ent A 192.0.2.2
*.wild A 192.0.2.3
x.y.wild A 192.0.2.4
*.wc CNAME www
chain CNAME chain2
chain2 CNAME www
out CNAME www.example.org.
cross CNAME www.example.net.
dead CNAME absent
tosub CNAME x.sub
loop CNAME loop.example.net.
sub NS ns.sub
sub NS ns.example.org.
ns.sub A 192.0.2.99
_sip._tcp SRV 1 2 5060 www
own TYPE65280 \\# 3 abcdef
a\\.b A 192.0.2.46
\\000n A 192.0.2.47
two TXT ${txt(8)}
big TXT ${txt(24)}
`;

/** What gdnsd refuses at load. */
const BUT_GDNSD = `d DNAME target.example.net.
d TXT "the owner's own"
deep DNAME ${'l'.repeat(63)}.${'l'.repeat(63)}.${'l'.repeat(63)}.example.net.
secsub NS ns.secsub
secsub DS 12345 13 2 ${'ab'.repeat(32)}
ns.secsub A 192.0.2.98
svc HTTPS 1 . alpn=h2
`;

/** Its SOA's TTL is below its MINIMUM. */
const OTHER = `$TTL 300
@ 30 SOA ns2 hostmaster 1 3600 600 86400 60
@ NS ns2
ns2 A 192.0.2.54
www A 192.0.2.5
a.target A 192.0.2.6
loop CNAME loop.example.com.
`;

export const ZONES = { 'example.com': EVERYWHERE + BUT_GDNSD, 'example.net': OTHER } as const;
export const ZONES_OF_GDNSD = { 'example.com': EVERYWHERE, 'example.net': OTHER } as const;
