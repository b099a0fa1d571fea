/** What the keyboard walks over in a row of the list, in order. */
export const CELLS = ['priority', 'title', 'assignee', 'due', 'status'] as const;
export type Cell = (typeof CELLS)[number];
/** Those that open a menu. */
export type EditableCell = Exclude<Cell, 'title'>;
