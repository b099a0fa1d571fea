/**
 * A board that explains itself, for somebody who is new here: what its cards say, and the way to make it. Only whoever
 * asks for it loads this.
 *
 * Not the board of `timetodo demo` (app/demo/content.json): that one shows a team at work, and needs a team; this one
 * teaches whoever is alone here, in their language and by requests that anybody may make.
 */

import { newId } from '../ids';
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import { addDays } from '../time/calendar';
import type { Id, Language, Priority } from '../types';

export interface SampleCard {
  title: string;
  description?: string;
  /** Which column, from the left. */
  column: 0 | 1 | 2;
  priority?: Priority;
  /** A day. */
  due?: string;
  checklist?: Array<{ text: string; done: boolean }>;
}

type Texts = { name: string; cards: Array<[title: string, description?: string]>; steps: string[] };

const TEXTS: Record<Language, Texts> = {
  en: {
    name: 'Sample',
    cards: [
      [
        'Drag me to the next column',
        'Or press **Shift** and an arrow key. Everybody who looks at the board sees it at once.',
      ],
      [
        'Open me',
        'Here is room for the details: text with *emphasis*, lists, links and `code`.\n\nWhat you type is kept, even when the page closes.',
      ],
      ['Press ? for all the keys', 'For a start: **C** writes a card, **F** filters, **Z** takes back the last step.'],
      ['Mention somebody in a comment', 'Write **@** and a name. They find it under “My work”.'],
      ['Invite your team', 'Project menu → Members. By e-mail address or with a link.'],
      ['This is due today', 'Press **D** on a card and write “tomorrow 3pm” or “next fri”.'],
      ['This is due in three days', 'The calendar shows every card that has a date; drag it to another day.'],
      ['This is late: its date is red', 'Move it to the last column, and it is done.'],
      ['Tick off the steps', 'The board shows how far a checklist is.'],
      ['Paste a list to make many cards', 'Press **C** and paste: every line becomes a card.'],
      ['Work without a network', 'Changes are kept on this device and sent when the network is back.'],
      ['Make this board', 'Done! When you have seen enough, delete the project in its settings.'],
    ],
    steps: ['Tick a step off', 'Add one of your own', 'Drag a step to another place'],
  },
  ru: {
    name: 'Пример',
    cards: [
      [
        'Перетащите меня в соседнюю колонку',
        'Или нажмите **Shift** и стрелку. Все, кто смотрит на доску, увидят это сразу.',
      ],
      [
        'Откройте меня',
        'Здесь место для подробностей: текст с *выделением*, списки, ссылки и `код`.\n\nНабранное не пропадёт, даже если закрыть страницу.',
      ],
      [
        'Нажмите ?, чтобы увидеть все клавиши',
        'Для начала: **C** — новая карточка, **F** — фильтр, **Z** — отменить последнее действие.',
      ],
      ['Упомяните кого-нибудь в комментарии', 'Напишите **@** и имя. Человек увидит это на странице «Моя работа».'],
      ['Пригласите коллег', 'Меню проекта → «Участники». По адресу почты или по ссылке.'],
      ['Срок этой карточки — сегодня', 'Нажмите **D** на карточке и напишите «завтра 15:00» или «пт».'],
      [
        'Срок этой карточки — через три дня',
        'В календаре видны все карточки со сроком; их можно перетащить на другой день.',
      ],
      ['Срок прошёл: дата стала красной', 'Перенесите карточку в последнюю колонку — и она готова.'],
      ['Отметьте сделанные пункты', 'На доске видно, сколько пунктов чек-листа уже готово.'],
      ['Вставьте список — получатся карточки', 'Нажмите **C** и вставьте текст: каждая строка станет карточкой.'],
      ['Работайте без сети', 'Изменения сохранятся на этом устройстве и отправятся, когда сеть появится.'],
      ['Создать эту доску', 'Готово! Когда насмотритесь, удалите проект в его настройках.'],
    ],
    steps: ['Отметить пункт', 'Добавить свой пункт', 'Перетащить пункт на другое место'],
  },
};

/** What stands beside the texts, card by card. Days count from today. */
const FIELDS: ReadonlyArray<Pick<SampleCard, 'column' | 'priority'> & { day?: number; steps?: true }> = [
  { column: 0, priority: 'high' },
  { column: 0 },
  { column: 0 },
  { column: 0 },
  { column: 0, priority: 'medium' },
  { column: 1, day: 0 },
  { column: 1, day: 3 },
  { column: 1, priority: 'urgent', day: -1 },
  { column: 1, steps: true },
  { column: 0, priority: 'low' },
  { column: 2 },
  { column: 2 },
];

/** The cards, in the order they are made in. `today` is a day. */
export function sampleCards(language: Language, today: string): SampleCard[] {
  const { cards, steps } = TEXTS[language];
  return FIELDS.map(({ day, steps: hasSteps, ...fields }, index) => {
    const [title, description] = cards[index] as [string, string?];
    return {
      ...fields,
      title,
      ...(description !== undefined && { description }),
      ...(day !== undefined && { due: addDays(today, day) }),
      ...(hasSteps && { checklist: steps.map((text, position) => ({ text, done: position === 0 })) }),
    };
  });
}

/** Makes the project and its cards. Resolves to its id, also when a card failed, which is told; rejects when there is no project. */
export async function makeSampleBoard(rest: Endpoints, language: Language, today: string): Promise<Id> {
  const { id } = await rest.projects.create({ name: TEXTS[language].name, visibility: 'private' });
  await attempt(async () => {
    const { columns } = await rest.projects.board(id);
    for (const { column, ...fields } of sampleCards(language, today)) {
      const status = columns[Math.min(column, columns.length - 1)]?.key;
      // One after the other: the order in which they are made is the order on the board.
      await rest.tasks.create({ project_id: id, status, ...fields }, { opId: newId() });
    }
  });
  return id;
}
