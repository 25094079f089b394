/** One line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const colours = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#57606a'];
const [width, height, left, right, top, bottom] = [720, 400, 60, 150, 40, 50];

/** A plot with a logarithmic x axis as SVG, readable on white and on dark pages. */
export function plotSvg(title: string, xTitle: string, yTitle: string, series: readonly Series[]): string {
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const most = Math.max(...series.flatMap(({ points }) => points.map(([, y]) => y))) * 1.1;
  const [from, to] = [Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs))];
  const x = (value: number): number => left + ((Math.log10(value) - from) / (to - from || 1)) * (width - left - right);
  const y = (value: number): number => height - bottom - (value / most) * (height - top - bottom);
  const text = (tx: number, ty: number, words: string, more = ''): string =>
    `<text x="${tx.toFixed(1)}" y="${ty.toFixed(1)}" ${more}>${words}</text>`;
  const gridY = Array.from({ length: 5 }, (_, index) => (most * index) / 4);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#24292f">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(left, 22, title, 'font-size="15"'),
    ...gridY.flatMap((value) => [
      `<line x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#d0d7de"/>`,
      text(left - 6, y(value) + 4, value.toPrecision(2), 'text-anchor="end"'),
    ]),
    ...[...new Set(xs)].map((value) => text(x(value), height - bottom + 18, String(value), 'text-anchor="middle"')),
    text((left + width - right) / 2, height - 12, xTitle, 'text-anchor="middle"'),
    text(14, top - 6, yTitle),
    ...series.flatMap(({ name, points }, index) => {
      const colour = colours[index % colours.length];
      const line = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
      const [, last] = points.at(-1) ?? [0, 0];
      return [
        `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${colour}"/>`),
        text(width - right + 8, y(last) + 4, name, `fill="${colour}"`),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}
