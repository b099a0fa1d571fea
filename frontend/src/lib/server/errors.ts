/** What can go wrong with a request: the server said no (`ApiError`), or nothing came back (`NetworkError`). */

export interface FieldError {
  field: string;
  message: string;
  code: string;
  /** The least or the most there may be, where that is what was wrong. */
  limit?: number | null;
}

export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: FieldError[];
  [extra: string]: unknown;
}

/** A refusal, as the server's problem+json tells it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: readonly FieldError[];
  readonly problem: Problem;
  /** Seconds to wait before the next attempt, where the server named them. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.requestId = problem.request_id;
    this.fields = problem.errors ?? [];
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Worth repeating unchanged: too many requests, or a server that is not ready. */
  get passing(): boolean {
    return this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** No answer: offline, the server is down, or it took too long. Whether the change happened is unknown. */
export class NetworkError extends Error {
  constructor(cause?: unknown) {
    super('no answer from the server', { cause });
    this.name = 'NetworkError';
  }
}

/** The person is signed out and did not sign in again. */
export class SignedOutError extends Error {
  constructor() {
    super('signed out');
    this.name = 'SignedOutError';
  }
}

export const isPassing = (error: unknown): boolean =>
  error instanceof NetworkError || (error instanceof ApiError && error.passing);
