/** True where the notebook is executed by the tests: it must then use sizes that take seconds. */
export function isFastMode(): boolean {
  return process.env.IFT_KIT_FAST === "1";
}

/**
 * Chooses a parameter of a notebook: `const steps = fullOrFast(4000, 50)`.
 * @param full value for a reader
 * @param fast value for the tests (IFT_KIT_FAST=1)
 */
export function fullOrFast<Value>(full: Value, fast: Value): Value {
  return isFastMode() ? fast : full;
}
