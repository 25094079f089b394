const [width, left, right, bar] = [720, 200, 80, 26];

/** Bars with their values, the first one the reference, as SVG; readable on white and on dark pages. */
export function barsSvg(title: string, unit: string, values: readonly (readonly [name: string, value: number])[]): string {
  const most = Math.max(...values.map(([, value]) => value));
  const height = 50 + values.length * (bar + 10);
  const rows = values.flatMap(([name, value], index) => {
    const y = 40 + index * (bar + 10);
    const length = (value / most) * (width - left - right);
    return [
      `<text x="${left - 8}" y="${y + 17}" text-anchor="end">${name}</text>`,
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar}" fill="${index === 0 ? '#1f6feb' : '#57606a'}"/>`,
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 17}">${value.toFixed(1)} ${unit}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#24292f">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="22" font-size="15">${title}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}
