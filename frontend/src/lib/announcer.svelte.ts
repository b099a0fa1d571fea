/** What is told to people who listen rather than look, and messages that pass by for everybody. */

let text = $state('');
let turn = false;

/** Says it politely. A trailing space tells two equal sentences apart, so both are read. */
export function announce(message: string): void {
  turn = !turn;
  text = turn ? message : `${message} `;
}

export const announcer = {
  get text(): string {
    return text;
  },
};

export interface Toast {
  id: number;
  text: string;
  tone: 'info' | 'error';
  action?: { label: string; run: () => void };
}

/** A message that asks nothing leaves by itself; a failure stays until somebody has seen it. */
const INFO_MS = 5_000;

let list = $state.raw<Toast[]>([]);
let lastId = 0;

export const toasts = {
  get list(): readonly Toast[] {
    return list;
  },
  show(toast: Omit<Toast, 'id'>): number {
    const id = ++lastId;
    list = [...list, { ...toast, id }];
    if (toast.tone === 'info') setTimeout(() => toasts.dismiss(id), INFO_MS);
    return id;
  },
  dismiss(id: number): void {
    list = list.filter((toast) => toast.id !== id);
  },
};
