import { describe, expect, it } from 'vitest';
import { formatFlow, parseFlow } from '../../../shared/ctl/flow.ts';

const TCP = {
  source: '198.51.100.7',
  sourcePort: 4242,
  destination: '203.0.113.5',
  destinationPort: 443,
  protocol: 6,
};

describe('flows', () => {
  it.each([
    ['198.51.100.7:4242 > 203.0.113.5:443/tcp', TCP],
    ['198.51.100.7:4242 -> 203.0.113.5:443/tcp', TCP],
    ['198.51.100.7:4242>203.0.113.5:443/TCP', TCP],
    [' 198.51.100.7:4242 203.0.113.5:443/6 ', TCP],
    ['1.2.3.4 > 5.6.7.8', { source: '1.2.3.4', destination: '5.6.7.8', protocol: 1 }],
    ['1.2.3.4 > 5.6.7.8/gre', { source: '1.2.3.4', destination: '5.6.7.8', protocol: 47 }],
  ])('%s', (text, expected) => {
    const flow = parseFlow(text);
    expect(flow).toEqual(expected);
    if (typeof flow !== 'string') expect(parseFlow(formatFlow(flow))).toEqual(flow);
  });

  it.each([
    ['', 'a flow reads'],
    ['1.2.3.4', 'a flow reads'],
    ['1.2.3.4 > 5.6.7.8 > 9.9.9.9', 'a flow reads'],
    ['1.2.3 > 5.6.7.8', '"1.2.3" is no IPv4 address'],
    ['1.2.3.4:0 > 5.6.7.8:1/tcp', '"0" is no port'],
    ['1.2.3.4:1 > 5.6.7.8:1', 'which protocol? Write 5.6.7.8:1/tcp or'],
    ['1.2.3.4:1 > 5.6.7.8:1/tpc', 'unknown protocol "tpc"'],
    ['1.2.3.4 > 5.6.7.8:1/tcp', 'tcp needs both ports'],
    ['1.2.3.4:1 > 5.6.7.8:2/icmp', 'icmp has no ports'],
  ])('%j is refused', (text, expected) => {
    expect(parseFlow(text)).toContain(expected);
  });
});
