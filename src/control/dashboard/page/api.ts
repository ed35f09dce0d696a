/** As the server's problem documents (RFC 9457). */
interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

/** What the server said why not, in its words. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function get<T>(path: string): Promise<T> {
  return send<T>(path, {});
}

/** With the header that says that this page sent it. */
export function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json', 'x-devloop-dashboard': '1' };
  return send<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** The words for people of whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new ApiProblem(0, 'CONTROL_AWAY', 'the control server does not answer');
  }
  if (answer.ok) return (await answer.json()) as T;
  // The login is over, or was for another token.
  if (answer.status === 401) location.assign('/login');
  const { code = '', detail = answer.statusText, errors = [] } = (await answer.json().catch(() => ({}))) as Problem;
  const fields = errors.map((error) => `${error.field} ${error.detail}`).join('; ');
  throw new ApiProblem(answer.status, code, `${code}: ${fields === '' ? detail : fields}`);
}
