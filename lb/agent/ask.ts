// Asks one agent: connects, says nothing, and reads a line that ends with LF or with the
// connection.
import { connect } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { attempt, bad, good, settleBy } from '../../shared/health/probe-attempt.ts';

const MAX_LINE_BYTES = 1024;

export type AskOptions = { clock: Clock; timeoutMs: number; signal: AbortSignal };

/** `silent`: why there is no line. */
export type AgentAnswer = { line: string } | { silent: string };

/** Never rejects. The line is without its end, as Latin-1. */
export async function askAgent(
  { address, port }: { address: string; port: number },
  options: AskOptions,
): Promise<AgentAnswer> {
  const { verdict, reason } = await attempt(options, (settle) => {
    const socket = connect({ host: address, port, noDelay: true });
    let text = '';
    const tell = (line: string): void => {
      settle(line.trim() === '' ? bad('it said nothing') : good(line.replace(/\r$/, '')));
    };
    socket.on('error', (error) => settleBy(error, address, settle));
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\n');
      if (end >= 0 && end < MAX_LINE_BYTES) tell(text.slice(0, end));
      else if (text.length >= MAX_LINE_BYTES) settle(bad('its line is longer than 1 KiB'));
    });
    socket.on('end', () => tell(text));
    return () => void socket.destroy();
  });
  return verdict === 'good' ? { line: reason } : { silent: reason };
}
