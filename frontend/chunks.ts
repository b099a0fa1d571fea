/**
 * Which file of the built page a module is in. Left alone, the build makes many small ones, in which the same words are
 * packed again and again, and which name to each other all that they share.
 */
import type { Rolldown } from 'vite';

/** What every visit loads: all that it needs, and what the later files share. */
const FIRST = 'index';

/** What is loaded later, by the module that it begins with: what people open together is one file. */
const LATER: [name: string, beginning: RegExp][] = [
  ['entry', /pages\/(Invitation|Mail|SignUp)Page/],
  ['inbox', /pages\/InboxPage|components\/inbox\//],
  [
    'management',
    /pages\/(Admin|Archive|Diagnostics|Profile|Projects|ProjectSettings|TaskLink|Trash)Page|components\/dialogs\//,
  ],
  ['markdown', /lib\/task\/markdown/],
  ['task', /components\/(shortcuts|task)\//],
  ['views', /pages\/(Calendar|Home|List|Search)Page|components\/palette\/|sample-board/],
];

/** The file that has all that begins with this module, or null where the module has one of its own. */
function begins(id: string): string | null {
  if (id.endsWith('index.html')) return FIRST;
  return LATER.find(([, beginning]) => beginning.test(id))?.[0] ?? null;
}

/** The file of this module: where what needs it is in more than one, the first. */
export function chunkOf(id: string, context: Rolldown.ChunkingContext): string | null {
  const seen = new Set<string>();
  const names = new Set<string | null>();
  const visit = (one: string) => {
    const info = context.getModuleInfo(one);
    if (!info || seen.has(one)) return;
    seen.add(one);
    if (info.isEntry || info.dynamicImporters.length > 0) names.add(begins(one));
    info.importers.forEach(visit);
  };
  visit(id);
  const [name = null] = names;
  return names.size > 1 ? FIRST : name;
}
