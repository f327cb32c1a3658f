// All rows, in the order of the page.
import type { Row } from './row.ts';
import { CONNECTION_ROWS } from './rows-connections.ts';
import { EXCHANGE_ROWS } from './rows-exchanges.ts';
import { FIELD_ROWS } from './rows-fields.ts';
import { FRAMING_ROWS } from './rows-framing.ts';
import { LINE_ROWS } from './rows-lines.ts';
import { RESPONSE_ROWS } from './rows-responses.ts';

export const ROWS: readonly Row[] = [
  ...LINE_ROWS,
  ...FIELD_ROWS,
  ...FRAMING_ROWS,
  ...RESPONSE_ROWS,
  ...EXCHANGE_ROWS,
  ...CONNECTION_ROWS,
];
