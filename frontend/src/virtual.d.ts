/** Made by messages.ts. */
declare module 'virtual:messages' {
  /** The addresses of a language's messages: those of every page, and those that come later. */
  export const FILES: Readonly<Record<import('./lib/types').Language, readonly string[]>>;
}

/** Made by icons.ts. */
declare module 'virtual:icon-paths' {
  const paths: Readonly<Record<keyof typeof import('../icons.ts').ICONS, string>>;
  export default paths;
}
