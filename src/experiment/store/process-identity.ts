import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";

/** Which process this is, on which machine: enough to find out later whether it still lives. */
export const processIdentitySchema = z.strictObject({
  host: z.string(),
  pid: z.number().int().min(1),
  /** When it started, in a unit of the system: tells it from a later process with the same number. "" where unknown. */
  started: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** The identity of a process of this machine; of this one by default. */
export function processIdentity(pid = process.pid): ProcessIdentity {
  return { host: hostname(), pid, started: startOf(pid) ?? "" };
}

/** True when the process is of this machine and has ended; false when it lives, or when that cannot be known from here. */
export function isDead({ host, pid, started }: ProcessIdentity): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0); // sends nothing: it asks whether the process is there
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = startOf(pid);
  return now !== undefined && started !== "" && now !== started;
}

/** The boot and the clock tick at which a process started, on Linux; undefined elsewhere. A zombie counts as ended. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program stands in parentheses and may hold blanks; field 3 is the state, field 22 the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : `${boot}/${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}
