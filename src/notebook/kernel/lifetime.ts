/** Milliseconds between two looks at the parent process. */
const PARENT_CHECK = 1000;

/** Ends the kernel when the process that started it is gone (killed, so that it could not send a shutdown message). */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, PARENT_CHECK).unref();
}

/**
 * Waits until no timer, file, network or child-process work is under way beyond what the kernel itself has, so that
 * the failure of a promise that nobody awaited is seen before the notebook is called good.
 * @param baseline work of the idle kernel, from `workUnderWay`
 */
export async function settle(baseline: number, limitMilliseconds: number): Promise<void> {
  const end = Date.now() + limitMilliseconds;
  let quiet = 0;
  while (quiet < 3 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    quiet = workUnderWay() > baseline ? 0 : quiet + 1;
  }
}

/** Number of things that keep the event loop busy. */
export function workUnderWay(): number {
  return process.getActiveResourcesInfo().length;
}
