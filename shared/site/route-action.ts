// What a route does: a pool serves, or the balancer answers itself. Pure.
import { isHeaderValue } from './header-edits.ts';
import type { RouteAction } from './lb-objects.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';
import { unless } from './zone.ts';

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;
export const USUAL_REDIRECT = 308;
export const USUAL_CONTENT_TYPE = 'text/plain; charset=utf-8';
export const REDIRECT_FIELDS = ['scheme', 'host', 'path', 'query'] as const;
export const MAX_BODY_CHARACTERS = 65_536;
const MAX_TO = 2048;
export const ACTION_KEYS = ['pool', 'redirect', 'respond'] as const;
const NEEDS_ONE = 'needs exactly one of pool, redirect and respond';

export type WrittenAction = {
  pool?: string | undefined;
  redirect?: { status: RedirectStatus; to: string } | undefined;
  respond?: { status: number; contentType: string; body: string } | undefined;
};
type RedirectStatus = (typeof REDIRECT_STATUSES)[number];

/** From a stored value; undefined: the reader says what is wrong. */
export function readAction(reader: ValueReader): RouteAction | undefined {
  const pool = reader.name('pool');
  const redirect = reader.within('redirect', ['status', 'to'], (inner) => {
    const number = inner.integer('status', 301, 308) ?? USUAL_REDIRECT;
    const status = REDIRECT_STATUSES.find((each) => each === number);
    if (status === undefined) inner.refuse(`status ${number} is none of a redirect`);
    const to = inner.text('to') ?? '';
    return { status: status ?? USUAL_REDIRECT, to };
  });
  const respond = reader.within('respond', ['body', 'contentType', 'status'], (inner) => {
    const status = inner.integer('status', 200, 599);
    if (status === undefined && inner.reasons.length === 0) inner.refuse('there is no status');
    const contentType = inner.text('contentType') ?? USUAL_CONTENT_TYPE;
    return { status: status ?? 0, contentType, body: inner.text('body') ?? '' };
  });
  const action = actionOf({ pool, redirect, respond });
  if (action === undefined && reader.reasons.length === 0) reader.refuse(NEEDS_ONE);
  return action;
}

/** Undefined: none of them, or several. */
export function actionOf({ pool, redirect, respond }: WrittenAction): RouteAction | undefined {
  const given = [pool, redirect, respond].filter((each) => each !== undefined);
  if (given.length !== 1) return undefined;
  if (pool !== undefined) return { kind: 'pool', pool };
  if (redirect !== undefined) return { kind: 'redirect', ...redirect };
  return respond === undefined ? undefined : { kind: 'respond', ...respond };
}

export function missingAction(): ObjectProblem {
  return { message: NEEDS_ONE };
}

/** In a stored value, and in a site file. */
export function saidAction(action: RouteAction) {
  switch (action.kind) {
    case 'pool':
      return { pool: action.pool };
    case 'redirect': {
      const { status, to } = action;
      return { redirect: { status: unless<number>(USUAL_REDIRECT, status), to } };
    }
    case 'respond': {
      const { status, contentType, body } = action;
      return {
        respond: {
          status,
          contentType: unless(USUAL_CONTENT_TYPE, contentType),
          body: unless('', body),
        },
      };
    }
  }
}

/** What is wrong with it in itself. */
export function actionProblems(action: RouteAction): ObjectProblem[] {
  if (action.kind === 'redirect') return redirectProblems(action.to);
  if (action.kind === 'pool') return [];
  const { status, contentType, body } = action;
  const problems: ObjectProblem[] = [];
  const say = (key: string, message: string) => problems.push({ message, at: ['respond', key] });
  if (contentType === '' || !isHeaderValue(contentType)) {
    say('contentType', `${JSON.stringify(contentType)} is not a content type`);
  }
  const isEmpty = status === 204 || status === 205 || status === 304;
  if (isEmpty && body !== '') say('body', `a ${status} has no body`);
  if (body.length > MAX_BODY_CHARACTERS) {
    say('body', `the body has more than ${MAX_BODY_CHARACTERS} characters`);
  }
  return problems;
}

function redirectProblems(to: string): ObjectProblem[] {
  const at = ['redirect', 'to'];
  const shown = JSON.stringify(to.slice(0, 80));
  const fields = [...to.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const unknown = fields.filter((name) => !REDIRECT_FIELDS.some((field) => field === name));
  const known = REDIRECT_FIELDS.map((field) => `{${field}}`).join(', ');
  if (unknown.length > 0) {
    return [{ message: `${shown} has {${unknown[0]}}`, remedy: `there are ${known}`, at }];
  }
  const isUrl = /^(https?|\{scheme\}):\/\/[^/?#]/.test(to) || /^\/(?!\/|\{path\})/.test(to);
  const isPlain = /^[!-~]*$/.test(to) && !/["<>\\^`{|}]/.test(to.replace(/\{[a-z]+\}/g, ''));
  if (isUrl && isPlain && to.length <= MAX_TO) return [];
  const remedy = 'such as https://{host}{path}{query}, or a path of the same host such as /new';
  return [{ message: `${shown} is not where a redirect can lead`, remedy, at }];
}
