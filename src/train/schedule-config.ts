import { z } from "zod";

/** How long the learning rate rises, as a share of the budget or in steps (only where the budget is in steps). */
export type Warmup =
  | { readonly warmupFraction: number; readonly warmupSteps?: undefined }
  | { readonly warmupSteps: number; readonly warmupFraction?: undefined };

/** How long the learning rate falls at the end, as a share of the budget or in steps. */
export type Decay =
  | { readonly decayFraction: number; readonly decaySteps?: undefined }
  | { readonly decaySteps: number; readonly decayFraction?: undefined };

/** How the learning rate falls at the end of a warm-up-stable-decay schedule, from 1 to 0 over p in 0 to 1. */
export type DecayShape =
  /** 1 - p */
  | "linear"
  /** (1 + cos(pi p)) / 2 */
  | "cosine"
  /** 1 - sqrt(p) */
  | "1-sqrt";

/** The learning rate over the budget: a linear rise from 0, then a fall from 1 to `finalFraction` of the maximum. */
export type FallingSchedule = Warmup & {
  readonly kind: "cosine" | "linear" | "constant";
  /** What is left of the learning rate when the budget is used up, 0 to 1; 1 for "constant". */
  readonly finalFraction: number;
};

/**
 * A linear rise from 0, the maximum until the decay begins, then a fall to `finalFraction` of it (Hu et al. 2024, MiniCPM;
 * `get_wsd_schedule` of transformers).
 */
export type StableSchedule = Warmup &
  Decay & {
    readonly kind: "warmup-stable-decay";
    readonly decayShape: DecayShape;
    /** What is left of the learning rate when the budget is used up, 0 to 1. */
    readonly finalFraction: number;
  };

export type ScheduleConfig = FallingSchedule | StableSchedule;

const share = z.number().min(0).max(1);
const common = {
  warmupFraction: z.number().min(0).lt(1).optional(),
  warmupSteps: z.int().min(0).optional(),
  finalFraction: share,
};

/** The schema of `ScheduleConfig`; rules between fields are in `parseTrainConfig`. */
export const scheduleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(["cosine", "linear", "constant"]), ...common }),
  z.strictObject({
    kind: z.literal("warmup-stable-decay"),
    decayFraction: share.optional(),
    decaySteps: z.int().min(0).optional(),
    decayShape: z.enum(["linear", "cosine", "1-sqrt"]),
    ...common,
  }),
]);

/** Makes an error about a field of the training configuration. */
type Fail = (problem: string, cure: string, field: string) => Error;

/**
 * Checks what the schema cannot say of a schedule.
 * @throws what `fail` makes
 */
export function checkSchedule(
  schedule: z.infer<typeof scheduleSchema>,
  budget: { readonly unit: string; readonly amount: number },
  fail: Fail,
): ScheduleConfig {
  const { warmupFraction, warmupSteps, kind, finalFraction } = schedule;
  checkLength("warm-up", ["warmupFraction", warmupFraction], ["warmupSteps", warmupSteps], budget, fail);
  const warmup: Warmup =
    warmupSteps === undefined ? { warmupFraction: warmupFraction ?? 0 } : { warmupSteps };
  if (kind !== "warmup-stable-decay") {
    if (kind === "constant" && finalFraction !== 1) {
      throw fail(
        `a constant schedule cannot end at ${finalFraction} of the learning rate`,
        'give finalFraction 1, or the kind "cosine", "linear" or "warmup-stable-decay"',
        "schedule.finalFraction",
      );
    }
    return { ...warmup, kind, finalFraction };
  }
  const { decayFraction, decaySteps, decayShape } = schedule;
  checkLength("decay", ["decayFraction", decayFraction], ["decaySteps", decaySteps], budget, fail);
  const share = (fraction: number | undefined, steps: number | undefined): number =>
    fraction ?? (steps ?? 0) / budget.amount;
  if (share(warmupFraction, warmupSteps) + share(decayFraction, decaySteps) > 1) {
    throw fail(
      "the warm-up and the decay take more than the budget",
      "shorten schedule.warmupFraction (warmupSteps) or this",
      decayFraction === undefined ? "schedule.decaySteps" : "schedule.decayFraction",
    );
  }
  const decay: Decay = decaySteps === undefined ? { decayFraction: decayFraction ?? 0 } : { decaySteps };
  return { ...warmup, ...decay, kind, decayShape, finalFraction };
}

/** A part of the schedule is given once, as a share of the budget or in the budget's steps. */
function checkLength(
  what: string,
  [fractionField, fraction]: readonly [string, number | undefined],
  [stepsField, steps]: readonly [string, number | undefined],
  { unit, amount }: { readonly unit: string; readonly amount: number },
  fail: Fail,
): void {
  if ((fraction === undefined) === (steps === undefined)) {
    throw fail(
      steps === undefined ? `the ${what} is not given` : `the ${what} is given twice`,
      `give either ${fractionField} (a share of the budget) or ${stepsField}`,
      `schedule.${fractionField}`,
    );
  }
  if (steps === undefined) return;
  if (unit !== "steps") {
    throw fail(
      `the ${what} is in steps but the budget is in ${unit}`,
      `give ${fractionField}, the share of the budget that the ${what} takes`,
      `schedule.${stepsField}`,
    );
  }
  if (steps >= amount) {
    throw fail(
      `the ${what} of ${steps} steps fills the budget of ${amount}`,
      "shorten it",
      `schedule.${stepsField}`,
    );
  }
}
