/** The environment in which a process of a run computes with a number of threads, whatever its machine has. */
export function threadEnvironment(threads: number): Readonly<Record<string, string>> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: "1",
    OMP_NUM_THREADS: String(threads),
    IFT_KIT_THREADS: String(threads),
  };
}
