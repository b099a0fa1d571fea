/**
 * The icons of the page, drawn while it is built: each is then one path, however many are on a board. They are data in the
 * document, which a browser has before the scripts, and reads more quickly than a script.
 */
import { fileURLToPath } from 'node:url';
import {
  Activity,
  Archive,
  ArchiveRestore,
  ArrowDown,
  ArrowDownToLine,
  ArrowLeft,
  ArrowRight,
  ArrowUp,
  ArrowUpToLine,
  AtSign,
  Bell,
  BellOff,
  Bookmark,
  Calendar,
  Check,
  ChevronDown,
  ChevronLeft,
  ChevronRight,
  ChevronsUpDown,
  CircleAlert,
  CircleCheck,
  CircleX,
  Clock,
  Columns3,
  Copy,
  Download,
  Ellipsis,
  Eye,
  EyeOff,
  FoldHorizontal,
  Globe,
  GripVertical,
  House,
  Inbox,
  Info,
  Keyboard,
  Link,
  List,
  ListChecks,
  ListFilter,
  Lock,
  LogOut,
  Mail,
  Menu,
  MessageSquare,
  Monitor,
  Moon,
  PanelLeft,
  Pencil,
  Plus,
  Redo2,
  RefreshCw,
  RotateCcw,
  Search,
  Server,
  Settings,
  ShieldCheck,
  SignalHigh,
  Smartphone,
  SquareKanban,
  Stethoscope,
  Sun,
  Tag,
  Trash,
  TriangleAlert,
  Undo2,
  UnfoldHorizontal,
  User,
  Users,
  WifiOff,
  X,
} from 'lucide';
import type { Plugin } from 'vite';

/** What has the `d` of every icon when the page runs. */
const PATHS = 'virtual:icon-paths';

/** A shape as the icon package has it: the name of an SVG element, and its attributes. */
export type Shape = readonly [tag: string, attributes: Readonly<Record<string, string | number | undefined>>];

/** The one place that says which picture stands for what. Only those named here come into the page. */
export const ICONS = {
  activity: Activity,
  admin: ShieldCheck,
  alert: CircleAlert,
  archive: Archive,
  bell: Bell,
  'bell-off': BellOff,
  board: SquareKanban,
  bookmark: Bookmark,
  bottom: ArrowDownToLine,
  calendar: Calendar,
  check: Check,
  checklist: ListChecks,
  chevron: ChevronDown,
  clock: Clock,
  close: X,
  columns: Columns3,
  comment: MessageSquare,
  copy: Copy,
  dark: Moon,
  device: Monitor,
  diagnostics: Stethoscope,
  down: ArrowDown,
  download: Download,
  edit: Pencil,
  exit: LogOut,
  eye: Eye,
  'eye-off': EyeOff,
  failed: CircleX,
  filter: ListFilter,
  fold: FoldHorizontal,
  globe: Globe,
  grip: GripVertical,
  home: House,
  inbox: Inbox,
  info: Info,
  keyboard: Keyboard,
  left: ArrowLeft,
  light: Sun,
  link: Link,
  list: List,
  lock: Lock,
  mail: Mail,
  mention: AtSign,
  menu: Menu,
  more: Ellipsis,
  next: ChevronRight,
  offline: WifiOff,
  ok: CircleCheck,
  people: Users,
  phone: Smartphone,
  plus: Plus,
  previous: ChevronLeft,
  priority: SignalHigh,
  redo: Redo2,
  refresh: RefreshCw,
  restore: RotateCcw,
  right: ArrowRight,
  search: Search,
  server: Server,
  settings: Settings,
  sidebar: PanelLeft,
  sort: ChevronsUpDown,
  tag: Tag,
  top: ArrowUpToLine,
  trash: Trash,
  unarchive: ArchiveRestore,
  undo: Undo2,
  unfold: UnfoldHorizontal,
  up: ArrowUp,
  user: User,
  warning: TriangleAlert,
} satisfies Record<string, readonly Shape[]>;

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

/** The element that has them. */
const ELEMENT = 'icons';

export function drawnIcons(): Plugin {
  const paths = JSON.stringify(
    Object.fromEntries(Object.entries(ICONS).map(([name, shapes]) => [name, pathOf(shapes)])),
  );
  let made = `\0${PATHS}`;
  let code = paths;
  return {
    name: 'drawn-icons',
    configResolved({ command }) {
      if (command !== 'build') return;
      // As if the package had it: so its licence is told with those of the others.
      made = fileURLToPath(new URL('paths.js', import.meta.resolve('lucide/package.json')));
      code = `JSON.parse(document.getElementById('${ELEMENT}').textContent)`;
    },
    resolveId: (id) => (id === PATHS ? made : null),
    load: (id) => (id === made ? `export default ${code}` : null),
    transformIndexHtml: () => [
      { tag: 'script', attrs: { type: 'application/json', id: ELEMENT }, children: paths, injectTo: 'body' },
    ],
  };
}
