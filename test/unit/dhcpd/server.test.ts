// A first exchange each way; the cases of RFC 2131 by number are in server-*.test.ts.
import { expect, test } from 'vitest';
import { discover, release, request } from '../../support/dhcp/request.ts';
import { addressOf, LAN, Rig, SERVER, secondsOf, unicast } from '../../support/dhcp/server-rig.ts';

test('DISCOVER, OFFER, REQUEST, ACK, renewal, release', async () => {
  const rig = new Rig({ plan: LAN });
  const offer = await rig.ask(discover());
  expect(offer).toMatchObject({ type: 2, yiaddr: '10.0.0.10' });
  expect(addressOf(offer, 54)).toBe(SERVER);
  const ack = await rig.ask(request({ requested: '10.0.0.10', serverId: SERVER }));
  expect(ack).toMatchObject({ type: 5, yiaddr: '10.0.0.10' });
  expect([58, 59, 51].map((code) => secondsOf(ack, code))).toEqual([1800, 3150, 3600]);
  await rig.clock.advance(1_800_000);
  const renewed = await rig.ask(request({ ciaddr: '10.0.0.10' }), unicast('10.0.0.10'));
  expect(renewed).toMatchObject({ type: 5, yiaddr: '10.0.0.10' });
  await rig.ask(release({ ciaddr: '10.0.0.10', serverId: SERVER }), unicast('10.0.0.10'));
  expect(rig.counted).toEqual(['offered', 'acked-new', 'acked-renewal', 'released']);
});
