// The zones that most rules are asked about, and one resolver for them.
import { imageOf, resolveOf } from '../../../support/dns/resolve-rig.ts';

export const long = 'x'.repeat(60);
export const text = `$TTL 3600
@ SOA ns1 host 7 3600 600 86400 300
@ NS ns1
@ NS ns.other.
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
www A 192.0.2.10
www A 192.0.2.11
www TXT "t"
mail MX 10 mx.mail
mail MX 20 www
mx.mail A 192.0.2.25
_s._tcp SRV 0 1 80 www
svc HTTPS 1 . alpn=h2
svc A 192.0.2.80
svcalias HTTPS 0 www
c1 CNAME c2
c2 CNAME www
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
out CNAME www.elsewhere.
cross CNAME www.other.
lost CNAME nothing.mail
tosub CNAME host.sub
*.wild A 192.0.2.99
*.wc CNAME www
*.wmx MX 1 mx.wmx
sub NS ns.sub
sub NS ns1
sub NS ns.elsewhere.
ns.sub A 192.0.2.53
d DNAME target
target A 192.0.2.60
www.target A 192.0.2.61
dl DNAME ${long}.${long}.${long}.example.
many CNAME m1
${Array.from({ length: 20 }, (_, n) => `m${n + 1} CNAME m${n + 2}`).join('\n')}
`;
const other = `$TTL 60
@ SOA ns host 1 2 3 4 30
@ NS ns
ns A 198.51.100.1
www A 198.51.100.80
deep.sub A 198.51.100.81
`;
export const resolve = resolveOf([imageOf('example.', text), imageOf('other.', other)]);
