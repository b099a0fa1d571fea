/** The line of a small chart: numbers in time, from left to right. */

export interface Point {
  at: number;
  value: number;
}

export interface Summary {
  now: number;
  least: number;
  most: number;
  mean: number;
}

export function summaryOf(points: readonly Point[]): Summary | null {
  const values = points.map(({ value }) => value);
  const now = values.at(-1);
  if (now === undefined) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { now, least: Math.min(...values), most: Math.max(...values), mean: Math.round(mean * 10) / 10 };
}

/** A round number that nothing goes beyond: the top of the scale. At least 1, so that nothing is not drawn as a lot. */
export function topOf(most: number): number {
  if (most <= 1) return 1;
  const step = 10 ** Math.floor(Math.log10(most));
  const round = [1, 2, 5, 10].find((times) => times * step >= most) ?? 10;
  return round * step;
}

/** `d` of the line in a box of that width and height; the newest point stands at its right edge. */
export function lineOf(points: readonly Point[], spanMs: number, width: number, height: number, top: number): string {
  const end = points.at(-1)?.at ?? 0;
  const x = ({ at }: Point) => round(width - ((end - at) / spanMs) * width);
  const y = ({ value }: Point) => round(height - (value / top) * height);
  return points.map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point)} ${y(point)}`).join('');
}

const round = (value: number) => Math.round(value * 10) / 10;
