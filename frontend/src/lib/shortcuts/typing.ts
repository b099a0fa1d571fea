/** Where keys belong to somebody else: text being typed, a menu or a dialog that is open. */

const TEXT = 'textarea, select, [contenteditable=""], [contenteditable="true"], [role="textbox"], [role="combobox"]';
/** Inputs without a caret; letters pressed in them are nobody's. */
const NO_TEXT = /^(?:button|checkbox|radio|range|submit|reset|file|color|image)$/;
const OWN_KEYS = 'dialog, [role="menu"], [role="listbox"], [role="tablist"], [data-own-keys]';

const elementOf = (target: EventTarget | null) => (target instanceof Element ? target : null);

/** Whether what is pressed there becomes text. */
export function isTyping(target: EventTarget | null): boolean {
  const element = elementOf(target);
  const input = element?.closest('input');
  if (input) return !NO_TEXT.test(input.type);
  return element?.closest(TEXT) != null;
}

/** Whether a layer lies over the page that has keys of its own. */
export function isTaken(target: EventTarget | null): boolean {
  return elementOf(target)?.closest(OWN_KEYS) != null || document.querySelector('dialog[open]') !== null;
}

/** Whether Enter and Space press what has the focus. Cards are links, but have keys of their own. */
export function isPressable(target: EventTarget | null): boolean {
  const element = elementOf(target)?.closest('a, button, summary, input, label');
  return element != null && !(element.tagName === 'A' && element.closest('[data-card]'));
}
