// What a target's agent says of it: a line of words as HAProxy's agent-check has them
// (configuration.txt, `agent-check`). What a line does not name stays as it was. Pure.

/** One line. In each kind the last word counts. */
export type AgentLine = {
  /** `ready` ends drain and maint. */
  wish?: 'ready' | 'drain' | 'maint';
  /** `down`, `stopped` and `fail` are down. */
  health?: 'up' | 'down';
  /** Of the configured weight, 0 to 1000. */
  weightPercent?: number;
  /** 0: no bound. */
  maxRequests?: number;
  /** What stands behind `#`; printable ASCII. */
  why?: string;
  /** Words that mean nothing here. */
  unknown: readonly string[];
};

/** All that it has said. */
export type AgentSaid = Omit<AgentLine, 'unknown'>;

/** For a target's state; what is absent is as without an agent. */
export type AgentWord = {
  weightPercent?: number;
  state?: 'up' | 'down' | 'drain';
  maxRequests?: number;
  why?: string;
};

const MAX_PERCENT = 1000;
const MAX_WHY = 200;
const MAX_UNKNOWN = 8;

const WISHES: readonly string[] = ['ready', 'drain', 'maint'] satisfies AgentLine['wish'][];
const HEALTH: Record<string, 'up' | 'down'> = {
  up: 'up',
  down: 'down',
  stopped: 'down',
  fail: 'down',
};

/** `line` without its end. Words are parted by blanks, tabs and commas; case does not matter. */
export function parseAgentLine(line: string): AgentLine {
  const hash = line.indexOf('#');
  const text = hash < 0 ? line : line.slice(0, hash);
  const said: AgentSaid = {};
  const unknown: string[] = [];
  for (const word of text.split(/[\s,]+/)) {
    if (word === '' || takeWord(word.toLowerCase(), said)) continue;
    if (unknown.length < MAX_UNKNOWN) unknown.push(printable(word));
  }
  const why = hash < 0 ? '' : printable(line.slice(hash + 1)).trim();
  return { ...said, ...(why === '' ? {} : { why }), unknown };
}

/** False: it is unknown. */
function takeWord(word: string, said: AgentSaid): boolean {
  const percent = /^(\d{1,4})%$/.exec(word);
  const bound = /^maxconn:(\d{1,9})$/.exec(word);
  if (percent !== null && Number(percent[1]) <= MAX_PERCENT) {
    said.weightPercent = Number(percent[1]);
  } else if (bound !== null) said.maxRequests = Number(bound[1]);
  else if (Object.hasOwn(HEALTH, word)) said.health = HEALTH[word] ?? 'up';
  else if (WISHES.includes(word))
    said.wish = word as 'ready'; // one of them
  else return false;
  return true;
}

/** `why` belongs to its line: a line that tells of health or a wish without one takes it back. */
export function mergeSaid(before: AgentSaid, { unknown: _, ...line }: AgentLine): AgentSaid {
  const { why, ...kept } = before;
  const isOther = line.health !== undefined || line.wish !== undefined;
  return { ...kept, ...(why === undefined || isOther ? {} : { why }), ...line };
}

export function wordOf({ wish, health, ...said }: AgentSaid): AgentWord {
  const state = stateOf(wish, health);
  return { ...said, ...(state === undefined ? {} : { state }) };
}

function stateOf(wish: AgentLine['wish'], health: AgentLine['health']): AgentWord['state'] {
  if (wish === 'maint' || health === 'down') return 'down';
  if (wish === 'drain') return 'drain';
  return health ?? (wish === 'ready' ? 'up' : undefined);
}

function printable(text: string): string {
  return text.slice(0, MAX_WHY).replace(/[^\x20-\x7e]/g, '?');
}
