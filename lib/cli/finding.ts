/** What a check of `doctor` finds. */

export interface Finding {
  check: string;
  status: "ok" | "warning" | "problem";
  message: string;
  /** What to do, unless all is well. */
  hint?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message };
}

export function warning(check: string, message: string, hint: string): Finding {
  return { check, status: "warning", message, hint };
}

export function problem(check: string, message: string, hint: string): Finding {
  return { check, status: "problem", message, hint };
}
