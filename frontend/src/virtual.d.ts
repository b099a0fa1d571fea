/** Made by messages.ts. */
declare module 'virtual:message-numbers' {
  const numbers: Readonly<Record<string, number>>;
  export default numbers;
}

/** Made by icons.ts. */
declare module 'virtual:icon-paths' {
  const paths: Readonly<Record<keyof typeof import('../icons.ts').ICONS, string>>;
  export default paths;
}
