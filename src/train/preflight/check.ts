/** What a check found. */
export interface CheckResult {
  /** Such as "packing". */
  readonly check: string;
  /** What was compared, in words. */
  readonly what: string;
  readonly status: "pass" | "fail" | "not applicable";
  /** What was measured: a difference, or a number of rows that are wrong; absent where the check does not apply. */
  readonly measured?: number;
  /** The largest value that passes. */
  readonly limit?: number;
  /** Where the fault shows (rows, loss or gradient), or why the check does not apply. */
  readonly detail?: string;
  /** What to do; only where it failed. */
  readonly cure?: string;
}

/** All checks of a run before it starts. */
export interface PreflightReport {
  readonly passed: boolean;
  readonly checks: readonly CheckResult[];
}

/** What a check is about. */
export type CheckName = Pick<CheckResult, "check" | "what">;

/** A check that has nothing to compare here. */
export function notApplicable(name: CheckName, detail: string): CheckResult {
  return { ...name, status: "not applicable", detail };
}

/** A check that passes where what was measured is within the limit. */
export function judged(
  name: CheckName,
  measured: number,
  limit: number,
  { detail, cure }: { readonly detail: string; readonly cure: string },
): CheckResult {
  const found = { ...name, measured, limit, detail };
  return measured <= limit ? { ...found, status: "pass" } : { ...found, status: "fail", cure };
}
