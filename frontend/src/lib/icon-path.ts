/** Shapes as one path: an icon is then a single element, however many are on a board. */

/** A shape as the icon package has it: the name of an SVG element, and its attributes. */
export type Shape = readonly [tag: string, attributes: Readonly<Record<string, string | number | undefined>>];

/** The `d` of a path that draws these shapes. Throws on an element that no icon has had so far. */
export function pathOf(shapes: readonly Shape[]): string {
  return shapes.map(drawn).join('');
}

function drawn([tag, attributes]: Shape): string {
  const n = (name: string, otherwise = 0) => Number(attributes[name] ?? otherwise);
  switch (tag) {
    case 'path':
      // A first `m` counts from the origin; behind another shape it would count from that one's end.
      return String(attributes.d).replace(/^m/, 'M0 0m');
    case 'line':
      return `M${n('x1')} ${n('y1')}L${n('x2')} ${n('y2')}`;
    case 'circle':
      return ellipse(n('cx'), n('cy'), n('r'), n('r'));
    case 'ellipse':
      return ellipse(n('cx'), n('cy'), n('rx'), n('ry'));
    case 'rect': {
      const rx = n('rx', n('ry'));
      return rectangle(n('x'), n('y'), n('width'), n('height'), rx, n('ry', rx));
    }
    case 'polyline':
      return `M${attributes.points}`;
    case 'polygon':
      return `M${attributes.points}z`;
    default:
      throw new Error(`expected a shape of an icon, got <${tag}>`);
  }
}

const ellipse = (cx: number, cy: number, rx: number, ry: number) =>
  `M${cx - rx} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;

function rectangle(x: number, y: number, width: number, height: number, rx: number, ry: number): string {
  const corner = (dx: number, dy: number) => (rx > 0 ? `a${rx} ${ry} 0 0 1 ${dx} ${dy}` : '');
  return [
    `M${x + rx} ${y}h${width - 2 * rx}${corner(rx, ry)}`,
    `v${height - 2 * ry}${corner(-rx, ry)}`,
    `h${2 * rx - width}${corner(-rx, -ry)}`,
    `v${2 * ry - height}${corner(rx, -ry)}z`,
  ].join('');
}
