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

/** A message that asks nothing leaves by itself, one that offers something later; a failure stays until it was seen. */
const INFO_MS = 5_000;
const OFFER_MS = 8_000;

let list = $state.raw<Toast[]>([]);
let lastId = 0;
let resting = false;

function leaveLater(id: number, ms: number): void {
  setTimeout(() => (resting ? leaveLater(id, ms) : toasts.dismiss(id)), ms);
}

export const toasts = {
  get list(): readonly Toast[] {
    return list;
  },
  show(toast: Omit<Toast, 'id'>): number {
    const id = ++lastId;
    list = [...list, { ...toast, id }];
    if (toast.tone === 'info') leaveLater(id, toast.action ? OFFER_MS : INFO_MS);
    return id;
  },
  /** Keeps the passing messages while somebody is at them, with the pointer or the focus. */
  rest(held: boolean): void {
    resting = held;
  },
  dismiss(id: number): void {
    list = list.filter((toast) => toast.id !== id);
  },
};
