/** Made by messages.ts. */
declare module 'virtual:message-numbers' {
  const numbers: Readonly<Record<string, number>>;
  export default numbers;
}
