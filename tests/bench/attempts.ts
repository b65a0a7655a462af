/** Logins of which some may be refused for overload. */

import type { Client, Credentials } from "../blackbox/client.ts";

/** How a login was answered, and after how many milliseconds. */
export interface Attempt {
  isAdmitted: boolean;
  elapsed: number;
}

/** Logs in and is told 200 or 503. */
export async function attemptLogin(client: Client, credentials: Credentials): Promise<Attempt> {
  const start = performance.now();
  const { status, text } = await client.login(credentials);
  if (status !== 200 && status !== 503) throw new Error(`/auth answers ${status} ${text}`);
  return { isAdmitted: status === 200, elapsed: performance.now() - start };
}

/** The times of the attempts that were admitted, or of those that were not. */
export function times(attempts: readonly Attempt[], isAdmitted: boolean): number[] {
  return attempts.filter((attempt) => attempt.isAdmitted === isAdmitted)
    .map(({ elapsed }) => elapsed);
}
