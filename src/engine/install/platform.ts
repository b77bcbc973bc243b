import { existsSync, readFileSync } from "node:fs";
import { NATIVE_VARIANTS, type NativeVariant } from "./catalog.js";

/** What of the machine decides which native library fits. */
export interface Machine {
  readonly platform: string;
  readonly architecture: string;
  /** Version of the C library, like "2.36"; undefined where it is not glibc (musl, macOS, Windows). */
  readonly glibc: string | undefined;
  readonly nvidiaDriver: boolean;
  /** False when the processor lacks AVX, which the library needs; true where that is not known. */
  readonly avx: boolean;
}

/** This machine. */
export function thisMachine(): Machine {
  return {
    platform: process.platform,
    architecture: process.arch,
    glibc: glibcVersion(),
    nvidiaDriver: existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0"),
    avx: hasAvx(),
  };
}

/**
 * The native library for a machine, or the reason why there is none.
 * @param wanted "cpu" or "gpu" to override what the hardware suggests (`IFT_KIT_NATIVE`)
 */
export function variantFor(
  machine: Machine,
  wanted: string | undefined,
): { readonly variant: NativeVariant } | { readonly reason: string } {
  if (machine.platform !== "linux") {
    return { reason: `native TensorFlow is set up on Linux only, this is ${machine.platform}` };
  }
  if (machine.glibc === undefined || !atLeast(machine.glibc, "2.27")) {
    const found = machine.glibc === undefined ? "another C library" : `glibc ${machine.glibc}`;
    return { reason: `native TensorFlow needs glibc 2.27 or later, this machine has ${found}` };
  }
  if (machine.architecture === "x64" && !machine.avx) {
    return { reason: "native TensorFlow needs a processor with AVX" };
  }
  const gpu = wanted === "gpu" || (wanted !== "cpu" && machine.nvidiaDriver);
  const variant =
    NATIVE_VARIANTS.find((one) => one.architecture === machine.architecture && one.gpu === gpu) ??
    NATIVE_VARIANTS.find((one) => one.architecture === machine.architecture);
  if (variant === undefined) {
    return { reason: `there is no native TensorFlow for ${machine.architecture} processors` };
  }
  return { variant };
}

/** Compares versions of the form "2.36" number by number. */
export function atLeast(version: string, minimum: string): boolean {
  const [have, need] = [version, minimum].map((text) =>
    text.split(".").map((part) => Number.parseInt(part, 10)),
  );
  for (const [index, number] of (need ?? []).entries()) {
    const other = have?.[index] ?? 0;
    if (other !== number) return other > number;
  }
  return true;
}

function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

function hasAvx(): boolean {
  if (process.arch !== "x64") return true;
  try {
    return /^flags\s*:.*\bavx\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return true;
  }
}
