// Where a redirect leads: its template with what the request has. Pure.
import type { RequestView } from '../types.ts';

/** The fields: shared/site/route-action.ts. `{path}` has no query, `{query}` its question mark. */
export function redirectTarget(template: string, view: RequestView, scheme: string): string {
  const question = view.target.indexOf('?');
  const values: Record<string, string> = {
    scheme,
    host: view.host,
    // `//evil.example` would be read as another host.
    path: (question < 0 ? view.target : view.target.slice(0, question)).replace(/^\/{2,}/, '/'),
    query: question < 0 ? '' : view.target.slice(question),
  };
  return template.replace(/\{([a-z]+)\}/g, (all, name: string) => values[name] ?? all);
}
