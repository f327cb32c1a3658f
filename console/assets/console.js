// The console's page with a script: parts that changed are renewed in place, plots can be looked
// into. Without it the page is the same, of the moment at which it was loaded.
'use strict';
(() => {
  const interval = Math.max(1000, Number(document.body.dataset.interval) || 5000);
  const drawn = new Map(); // plot id → what is drawn of it
  const dashes = [[], [5, 3]];

  const digits = (value) => {
    const size = Math.abs(value);
    if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
    if (size >= 10) return value.toFixed(1).replace(/\.0$/, '');
    return size >= 0.1 ? value.toFixed(2).replace(/\.?0+$/, '') : String(Number(value.toPrecision(2)));
  };
  const scaled = (value, base, units) => {
    let at = 0;
    for (; Math.abs(value) >= base * 0.9995 && at < units.length - 1; at++) value /= base;
    return `${digits(value)}${units[at] && `\u202f${units[at]}`}`;
  };
  const formats = {
    bits: (value) => scaled(value, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']),
    rate: (value) => `${scaled(value, 1000, ['', 'k', 'M', 'G'])}/s`,
    count: (value) => scaled(value, 1000, ['', 'k', 'M', 'G']),
    bytes: (value) => scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']),
    seconds: (value) => (Math.abs(value) < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`),
    percent: (value) => `${value === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} %`,
  };
  const clock = (seconds, step) =>
    new Date(seconds * 1000).toISOString().slice(11, step < 60 ? 19 : 16);
  const textOf = (value, unit) => (value === null || value === undefined ? '–' : formats[unit](value));

  async function read(path) {
    const answer = await fetch(path, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
    return answer.json();
  }

  // A box that was scrolled stays where it was, and what has the focus keeps it.
  function renew(element, text) {
    const box = element.querySelector('.box');
    const [left, top] = box ? [box.scrollLeft, box.scrollTop] : [0, 0];
    const focus = element.contains(document.activeElement) ? document.activeElement : null;
    element.innerHTML = text;
    const fresh = element.querySelector('.box');
    if (fresh) fresh.scrollTo({ left, top, behavior: 'instant' });
    if (!focus) return;
    const href = focus.getAttribute('href');
    const links = [...element.querySelectorAll('a')];
    const next = href === null ? fresh : links.find((each) => each.getAttribute('href') === href);
    next?.focus({ preventScroll: true });
  }

  const texts = new Map();
  function renewParts(parts) {
    for (const element of document.querySelectorAll('[data-part]')) {
      const name = element.dataset.part;
      if (parts[name] === undefined || texts.get(name) === parts[name]) continue;
      texts.set(name, parts[name]);
      renew(element, parts[name]);
    }
  }

  function colourOf(figure, at) {
    const key = figure.querySelectorAll('.legend .key')[at];
    return key ? getComputedStyle(key).color : 'gray';
  }

  // What the lines are under the cursor, and now when there is none.
  function tell(figure, plot, index) {
    const values = figure.querySelectorAll('.legend b');
    for (const [at, { values: of }] of plot.series.entries()) {
      const text = textOf(of[index ?? of.length - 1], plot.unit);
      if (values[at] && values[at].textContent !== text) values[at].textContent = text;
    }
  }

  function optionsFor(figure, canvas, plot, isFirst) {
    const { color, borderTopColor } = getComputedStyle(canvas);
    const axis = { stroke: color, font: '11px system-ui, sans-serif', ticks: { show: false } };
    const grid = { stroke: borderTopColor, width: 1 };
    const unit = plot.unit;
    return {
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      padding: [8, 6, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
      cursor: { sync: { key: 'hour', setSeries: false }, points: { size: 6 }, drag: { x: false, y: false } },
      scales: {
        x: { time: true },
        y: { range: (_, least, most) => [Math.min(0, least ?? 0), most > 0 ? most * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          gap: 4,
          space: 64,
          incrs: [5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600],
          values: (_, all, __, ___, step) => all.map((seconds) => clock(seconds, step)),
        },
        {
          ...axis,
          grid,
          size: 66,
          gap: 6,
          space: 34,
          incrs: unit === 'bytes' ? bytesSteps : undefined,
          values: (_, all) => all.map((value) => textOf(value, unit)),
        },
      ],
      series: [
        {},
        ...plot.series.map((_, at) => ({
          stroke: () => colourOf(figure, at),
          width: 1.6,
          dash: dashes[Math.floor(at / 8)] ?? [],
          points: { show: isFirst && plot.times.length < 2 },
          spanGaps: false,
        })),
      ],
      hooks: {
        setCursor: [(chart) => tell(figure, drawn.get(plot.id)?.plot ?? plot, chart.cursor.idx)],
      },
    };
  }
  const bytesSteps = Array.from({ length: 40 }, (_, at) => 2 ** at);

  function draw(plot) {
    const figure = document.getElementById(`plot-${plot.id}`);
    const canvas = figure?.querySelector('.canvas');
    if (!canvas || typeof uPlot === 'undefined' || plot.times.length < 2) return;
    const data = [plot.times, ...plot.series.map(({ values }) => values)];
    const names = plot.series.map(({ name }) => name).join('\n');
    const before = drawn.get(plot.id);
    if (before?.names === names) {
      before.plot = plot;
      before.chart.setData(data);
      if (before.chart.cursor.idx !== null) tell(figure, plot, before.chart.cursor.idx);
      return;
    }
    before?.chart.destroy();
    canvas.replaceChildren();
    const chart = new uPlot(optionsFor(figure, canvas, plot, !before), data, canvas);
    drawn.set(plot.id, { chart, names, plot });
  }

  function redraw() {
    for (const { chart, plot } of [...drawn.values()]) {
      chart.destroy();
      drawn.delete(plot.id);
      draw(plot);
    }
  }

  async function refresh() {
    const query = location.search;
    const [{ title, parts, plots: ids }, { plots }] = await Promise.all([
      read(`/parts.json${query}`),
      read('/plots.json'),
    ]);
    const shown = [...document.querySelectorAll('[data-plot]')].map((each) => each.dataset.plot);
    const tables = Object.keys(parts).filter((name) => name.startsWith('table-'));
    const isOther = tables.some((name) => !document.querySelector(`[data-part="${name}"]`));
    if (isOther || ids.some((id) => !shown.includes(id))) return location.reload();
    document.title = title;
    renewParts(parts);
    for (const plot of plots) draw(plot);
  }

  let failures = 0;
  async function again() {
    if (!document.hidden) {
      try {
        await refresh();
        failures = 0;
      } catch {
        failures++;
      }
      document.body.classList.toggle('lost', failures > 1);
    }
    setTimeout(again, interval);
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = drawn.get(target.parentElement.dataset.plot)?.chart;
      const { clientWidth: width, clientHeight: height } = target;
      if (chart && width > 0 && chart.width !== width) chart.setSize({ width, height });
    }
  });
  for (const canvas of document.querySelectorAll('.canvas')) sizes.observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) refresh().catch(() => {});
  });
  again();
})();
