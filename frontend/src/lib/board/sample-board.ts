/**
 * A board that explains itself, for somebody who is new here: what its cards say, and the way to make it. Only whoever
 * asks for it loads this, with its words (`withWords`).
 *
 * Not the board of `timetodo demo` (app/demo/content.json): that one shows a team at work, and needs a team; this one
 * teaches whoever is alone here, in their language and by requests that anybody may make.
 */

import { newId } from '../ids';
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import { addDays } from '../time/calendar';
import type { Id, Priority } from '../types';
import { type MessageKey, t } from '../words/i18n.svelte';

export interface SampleCard {
  title: string;
  description: string;
  /** Which column, from the left. */
  column: 0 | 1 | 2;
  priority?: Priority;
  /** A day. */
  due?: string;
  checklist?: Array<{ text: string; done: boolean }>;
}

interface SampleWords extends Pick<SampleCard, 'column' | 'priority'> {
  title: MessageKey;
  description: MessageKey;
  /** Counts from today. */
  day?: number;
  steps?: readonly MessageKey[];
}

const STEPS = ['sample_board.step_tick', 'sample_board.step_add', 'sample_board.step_drag'] as const;

const CARDS: readonly SampleWords[] = [
  { title: 'sample_board.drag', description: 'sample_board.drag_text', column: 0, priority: 'high' },
  { title: 'sample_board.open', description: 'sample_board.open_text', column: 0 },
  { title: 'sample_board.keys', description: 'sample_board.keys_text', column: 0 },
  { title: 'sample_board.mention', description: 'sample_board.mention_text', column: 0 },
  { title: 'sample_board.invite', description: 'sample_board.invite_text', column: 0, priority: 'medium' },
  { title: 'sample_board.today', description: 'sample_board.today_text', column: 1, day: 0 },
  { title: 'sample_board.in_three_days', description: 'sample_board.in_three_days_text', column: 1, day: 3 },
  { title: 'sample_board.late', description: 'sample_board.late_text', column: 1, priority: 'urgent', day: -1 },
  { title: 'sample_board.checklist', description: 'sample_board.checklist_text', column: 1, steps: STEPS },
  { title: 'sample_board.paste', description: 'sample_board.paste_text', column: 0, priority: 'low' },
  { title: 'sample_board.offline', description: 'sample_board.offline_text', column: 2 },
  { title: 'sample_board.made', description: 'sample_board.made_text', column: 2 },
];

/** The cards, in the order they are made in and the language of the page. `today` is a day. */
export function sampleCards(today: string): SampleCard[] {
  return CARDS.map(({ title, description, day, steps, ...fields }) => ({
    ...fields,
    title: t(title),
    description: t(description),
    ...(day !== undefined && { due: addDays(today, day) }),
    ...(steps && { checklist: steps.map((text, position) => ({ text: t(text), done: position === 0 })) }),
  }));
}

/** Makes the project and its cards. Resolves to its id, also when a card failed, which is told; rejects when there is no project. */
export async function makeSampleBoard(rest: Endpoints, today: string): Promise<Id> {
  const { id } = await rest.projects.create({ name: t('sample_board.name'), visibility: 'private' });
  await attempt(async () => {
    const { columns } = await rest.projects.board(id);
    for (const { column, ...fields } of sampleCards(today)) {
      const status = columns[Math.min(column, columns.length - 1)]?.key;
      // One after the other: the order in which they are made is the order on the board.
      await rest.tasks.create({ project_id: id, status, ...fields }, { opId: newId() });
    }
  });
  return id;
}
