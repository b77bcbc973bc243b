import { NATURAL_ABLATION } from "../plan/natural-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** How many tasks each training task type has, on a folder of Super-NaturalInstructions tasks. */
export default {
  ...NATURAL_ABLATION,
  name: "ablation-tasks-per-type",
  title: "Ablation: tasks of each training task type",
  factors: { tasksPerType: [1, 3, 10] },
  hypotheses: [
    {
      statement: "Ten tasks a training task type beat one on held-out task types",
      a: { tasksPerType: 10 },
      b: { tasksPerType: 1 },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
  ],
} satisfies ExperimentPlan;
