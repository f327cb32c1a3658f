// Random questions to edge-dns and to Knot, on zones with all that can be in the way of a name:
// plain, and signed with NSEC, with NSEC3, and with NSEC3 and opt-out. All sections are the same,
// with the proofs in them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pick, seededRandom } from '../../shared/random.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askInOrder } from '../support/dns/packets-ask.ts';
import { told } from '../support/dns/packets-told.ts';
import { NameServer } from '../support/dns/peers.ts';
import { Signer } from '../support/dns/peers-sign.ts';
import { needs, program } from '../support/skip.ts';
import { optHex, queryHex, questionHex } from '../unit/dns/answer/packets.ts';

const QUERIES = 1000;
const ZONE = `$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
@ NS ns.sub
@ MX 10 mail
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
mail A 192.0.2.25
www A 192.0.2.1
www TXT "t"
a.b.ent A 192.0.2.2
*.wild A 192.0.2.3
*.wild MX 5 www
x.y.wild A 192.0.2.4
*.wc CNAME www
*.wcx CNAME absent
*.deep.wild2 A 192.0.2.9
chain CNAME chain2
chain2 CNAME www
dead CNAME absent
deadwild CNAME q.wild
out CNAME www.example.org.
d DNAME t
a.t A 192.0.2.6
*.w.t A 192.0.2.7
sub NS ns.sub
sub NS ns.sec
ns.sub A 192.0.2.99
sec NS ns.sec
sec NS ns.example.org.
sec DS 12345 13 2 ${'ab'.repeat(32)}
ns.sec A 192.0.2.98
ns.sec AAAA 2001:db8::98
x.ent2 NS ns.x.ent2
ns.x.ent2 A 192.0.2.97
tosub CNAME q.sub
_sip._tcp SRV 1 2 5060 www
_sip._tcp SRV 1 3 5060 ns.sub
`;
const ORIGINS = ['plain.test', 'nsec.test', 'whole.test', 'optout.test'];
const LABELS = (
  'www ent b a x y wild q wc wcx deep wild2 chain dead deadwild out d t w sub sec ns ns1 ' +
  'ent2 tosub absent _tcp _sip * mail zz 0'
).split(' ');
// Not ANY, which Knot answers with another RRset, nor RRSIG and NSEC: it gives one RRSIG of all,
// and does not follow a CNAME for them.
const TYPES = [1, 1, 1, 28, 2, 5, 6, 15, 16, 33, 39, 43, 48, 50, 51, 99];

const signer = new Signer();
let rig: DnsRig;
let knot: NameServer;
beforeAll(async () => {
  const zones = {
    'plain.test': ZONE,
    'nsec.test': signer.sign('nsec.test', ZONE).text,
    'whole.test': signer.sign('whole.test', ZONE, { nsec3: 'whole' }).text,
    'optout.test': signer.sign('optout.test', ZONE, { nsec3: 'opt-out' }).text,
  };
  [rig, knot] = await Promise.all([DnsRig.up({ zones }), NameServer.start('knot', zones)]);
});
beforeEach((context) => needs(context, program('knotd'), program('dnssec-signzone')));
afterAll(async () => {
  await knot?.stop();
  await rig?.down();
  signer.remove();
});

describe.each(ORIGINS)('%s', (origin) => {
  test(`${QUERIES} questions are answered as Knot does`, async () => {
    const random = seededRandom(ORIGINS.indexOf(origin) + 1);
    const to = { host: '127.0.0.1', port: knot.port };
    for (let count = 0; count < QUERIES; count++) {
      const labels = Array.from({ length: random.integer(4) }, () => pick(random, LABELS));
      const question = { name: [...labels, origin].join('.'), type: pick(random, TYPES) };
      const flags = random.integer(3) > 0 ? 0x8000 : 0;
      const query = queryHex(
        { question: questionHex(question.name, question.type) },
        optHex({ flags }),
      );
      const ours = told(query, await askInOrder(rig.endpoint, query));
      const theirs = told(query, await askInOrder(to, query));
      // A wildcard above that expands to a name with `*` in front: Knot leaves its proof out, which
      // RFC 4035 §3.1.3.3 and RFC 5155 §7.2.6 want.
      if (labels[0] === '*' && flags !== 0 && theirs !== ours) {
        expect(bare(ours)).toEqual(expect.arrayContaining(bare(theirs)));
        continue;
      }
      expect({ ...question, told: ours }).toEqual({ ...question, told: theirs });
    }
  });
});

/** The records, whatever the section. */
function bare(text: string): string[] {
  return text.split('; ').flatMap((part) => part.replace(/^\w+: /, '').split(', '));
}
