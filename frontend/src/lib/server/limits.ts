/** How long texts may be, as the server has it: the form stops before the server has to. Characters. */
export const LIMITS = {
  email: 320,
  userName: 100,
  passwordLeast: 10,
  password: 1_000,
  code: 100,
  projectName: 200,
  projectDescription: 50_000,
  /** Columns and labels. */
  shortName: 60,
  title: 500,
  description: 50_000,
  comment: 20_000,
  checklistText: 500,
  /** Lines, not characters. */
  checklistItems: 200,
} as const;
