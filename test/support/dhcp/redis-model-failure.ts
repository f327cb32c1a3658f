// What a backend says of a server that does not answer.
import { OperationalError } from '../../../shared/errors.ts';

export function describeCode(
  code: 'EDGE_STORE_UNREACHABLE' | 'EDGE_STORE_TIMEOUT',
): OperationalError {
  const message =
    code === 'EDGE_STORE_TIMEOUT'
      ? 'the store did not answer in time'
      : 'the store cannot be reached';
  return new OperationalError(code, message);
}
