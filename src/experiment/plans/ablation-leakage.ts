import { LEAK_KIND_NAMES } from "../../similarity/leakage/leak.js";
import { OFFICIAL_LEAKS } from "../natural-instructions/settings.js";
import { NATURAL_ABLATION } from "../plan/natural-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** A few official tasks show rows of their own test as demonstrations. Leaving out training rows does not mend that; both arms have it. */
const UNAVOIDABLE = [...OFFICIAL_LEAKS, "demonstration"] as const;

/** Training rows that leak into the test left where they are, or left out; the test is the same. */
export default {
  ...NATURAL_ABLATION,
  name: "ablation-leakage",
  title: "Ablation: leaked against clean training rows",
  factors: {
    training: [
      { name: "clean", set: { "split.leakage": { remove: "train", allow: [...UNAVOIDABLE] } } },
      { name: "leaked", set: { "split.leakage": { remove: "nothing", allow: [...LEAK_KIND_NAMES] } } },
    ],
  },
  hypotheses: [
    {
      statement: "Leaking training rows raise the score on held-out task types",
      a: { training: "leaked" },
      b: { training: "clean" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
  ],
} satisfies ExperimentPlan;
