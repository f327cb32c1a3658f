import { describe, expect, test } from 'vitest';
import { escapeHtml, renderStatus, type StatusView } from '../../../../shared/admin/page.ts';

const view: StatusView = {
  service: 'natter',
  node: '<script>alert(1)</script>',
  version: '1.0',
  state: { text: 'ready', level: 'ok' },
  facts: [['store', { text: 'down', level: 'bad' }]],
  tables: [
    {
      title: 'Peers & friends',
      columns: ['node', 'state'],
      rows: [
        ['a', { text: 'fine', level: 'ok' }],
        ['b', { text: 'slow', level: 'warn' }],
        ['c', { text: 'gone', level: 'bad' }],
        ['', 0],
      ],
    },
  ],
};

describe('the status page', () => {
  test('puts what is worst first and keeps the order of equals', () => {
    const order = [...renderStatus(view).matchAll(/<tr><td>(.*?)<\/td>/g)].map(([, name]) => name);
    expect(order).toEqual(['c', 'b', 'a', '-']);
  });

  test('escapes whatever it is given', () => {
    const page = renderStatus(view);
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('Peers &amp; friends');
    expect(escapeHtml(`<a href="x" id='y'>&`)).toBe(
      '&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;',
    );
  });

  test('a state is a word, not only a colour', () => {
    expect(renderStatus(view)).toContain('<span class="bad">down</span>');
  });

  test('refreshes only when asked', () => {
    expect(renderStatus(view)).not.toContain('http-equiv');
    expect(renderStatus(view, 5)).toContain('<meta http-equiv="refresh" content="5">');
  });

  test('a long table is cut, and says so', () => {
    const rows = Array.from({ length: 1500 }, (_, i) => [i, 'x']);
    const table = { title: 'Many', columns: ['i', 'x'], rows };
    expect(renderStatus({ ...view, tables: [table] })).toContain('and 500 more');
  });
});
