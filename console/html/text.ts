// HTML that is put together from values: whatever is no Html already is escaped. Pure.
import { escapeHtml } from '../../shared/admin/page.ts';

/** Text that is HTML. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[] | false | undefined;

/** html`<b>${name}</b>`: parts are escaped; lists are joined; false and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  const texts = strings.map((each, at) => each + (at < parts.length ? textOf(parts[at]) : ''));
  return new Html(texts.join(''));
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escapeHtml(String(part));
}
