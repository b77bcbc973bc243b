import { type Edge, GraphBuilder, typeAttribute } from "../../engine/compile/graph.js";
import { useBfloat16 } from "../../engine/compile/passes/bfloat16.js";
import { GraphSession } from "../../engine/compile/session.js";
import { tf } from "../../engine/tensorflow.js";
import type { Precision } from "../../train/config.js";

const SIZE = 1024;
const PRODUCTS = 8;
const RUNS = 5;

/**
 * The most floating-point operations a second that products of matrices of 1024 x 1024 reach here, best of some runs.
 * @returns for each precision; nothing where the native engine does not run
 */
export function matmulPeaks(): Partial<Record<Precision, number>> {
  if (tf.getBackend() !== "tensorflow") return {};
  return { float32: peakOf("float32"), bfloat16: peakOf("bfloat16") };
}

function peakOf(precision: Precision): number {
  const builder = new GraphBuilder();
  const type = { dtype: "float32", shape: [SIZE, SIZE] } as const;
  const given = builder.placeholder("x", type);
  let product: Edge = given;
  for (let count = 0; count < PRODUCTS; count++) {
    product = builder.edge("MatMul", [product, given], type, { T: typeAttribute("float32") });
  }
  const axes = builder.constant(Int32Array.of(0, 1), [2]);
  const types = { T: typeAttribute("float32"), Tidx: typeAttribute("int32") };
  builder.outputs.set("sum", builder.edge("Sum", [product, axes], { dtype: "float32", shape: [] }, types));
  const graph = builder.finish();
  const session = new GraphSession(precision === "bfloat16" ? useBfloat16(graph) : graph);
  const x = tf.fill([SIZE, SIZE], 1e-3);
  let fastest = Infinity;
  for (let run = 0; run <= RUNS; run++) {
    const start = performance.now();
    tf.tidy(() => session.run({ x }, ["sum"])[0]?.dataSync());
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  x.dispose();
  session.dispose();
  return (PRODUCTS * 2 * SIZE ** 3) / fastest;
}
