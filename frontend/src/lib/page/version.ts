/** The version this page was built from; the server tells its own. */
declare const __VERSION__: string;

export const VERSION: string = __VERSION__;
