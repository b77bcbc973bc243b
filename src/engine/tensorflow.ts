import { createRequire } from "node:module";
import type * as TensorFlow from "@tensorflow/tfjs";

/**
 * The one TensorFlow.js of the process. It is required (not imported), because `@tensorflow/tfjs-node-gpu` and
 * danfojs-node are CommonJS: so all three get the same instance and know each other's tensors.
 */
export const tf = createRequire(import.meta.url)("@tensorflow/tfjs") as typeof TensorFlow;
export type { TensorFlow };
