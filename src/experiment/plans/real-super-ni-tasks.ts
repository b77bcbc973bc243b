import type { ExperimentPlan } from "../plan/plan.js";
import { REAL_SUPER_NI } from "../plan/real-super-ni.js";

/** How many tasks are trained under the same budget; all of them is the IFT arm of `real-super-ni-formats`. */
export default {
  ...REAL_SUPER_NI,
  name: "real-super-ni-tasks",
  title: "Super-NaturalInstructions: number of training tasks",
  factors: { trainingTasks: [8, 32, 128, { name: "218", set: {} }] },
  hypotheses: [
    {
      statement: "All training tasks beat 8 on held-out task types",
      a: { trainingTasks: "218" },
      b: { trainingTasks: 8 },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
    {
      statement: "All training tasks beat 32 on held-out task types",
      a: { trainingTasks: "218" },
      b: { trainingTasks: 32 },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
  ],
} satisfies ExperimentPlan;
