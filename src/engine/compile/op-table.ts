import { KitError } from "../../support/errors.js";
import { type Attribute, type Attributes, type Edge, typeAttribute, typeOf } from "./graph.js";

/**
 * What an op that can be recorded needs in a graph. Eager TensorFlow infers the types from the inputs; a graph does not.
 */
interface OpEntry {
  /** Type attributes, each with the number of the input whose type it is. */
  readonly types: Readonly<Record<string, number>>;
  /** Other attributes that count. What is left out has TensorFlow's default. */
  readonly attributes?: readonly string[];
}

const SAME: OpEntry = { types: { T: 0 } };
const REDUCTION: OpEntry = { types: { T: 0, Tidx: 1 }, attributes: ["keep_dims"] };
const SCATTER: OpEntry = { types: { T: 0, Tindices: 1 } };

const SAME_TYPE_OPS =
  "Add AddV2 Sub Mul RealDiv Div FloorDiv FloorMod Maximum Minimum Pow SquaredDifference Square Sqrt Rsqrt Exp Expm1 Log Log1p " +
  "Neg Abs Sign Reciprocal Tanh TanhGrad Sigmoid SigmoidGrad Relu ReluGrad Elu Erf Sin Cos Softmax LogSoftmax Softplus " +
  "BiasAdd BiasAddGrad Equal NotEqual Greater GreaterEqual Less LessEqual ZerosLike OnesLike L2Loss Identity " +
  "MatrixBandPart InplaceUpdate SqrtGrad RsqrtGrad Floor Round Ceil";

const OPS: ReadonlyMap<string, OpEntry> = new Map<string, OpEntry>([
  ...SAME_TYPE_OPS.split(" ").map((name): [string, OpEntry] => [name, SAME]),
  ...["Sum", "Mean", "Max", "Min", "Prod"].map((name): [string, OpEntry] => [name, REDUCTION]),
  ...["All", "Any"].map((name): [string, OpEntry] => [
    name,
    { types: { Tidx: 1 }, attributes: ["keep_dims"] },
  ]),
  ...["LogicalNot", "LogicalAnd", "LogicalOr"].map((name): [string, OpEntry] => [name, { types: {} }]),
  ["MatMul", { types: { T: 0 }, attributes: ["transpose_a", "transpose_b"] }],
  ["BatchMatMulV2", { types: { T: 0 }, attributes: ["adj_x", "adj_y"] }],
  ["Cast", { types: { SrcT: 0 }, attributes: ["DstT", "Truncate"] }],
  ["Reshape", { types: { T: 0, Tshape: 1 } }],
  ["Transpose", { types: { T: 0, Tperm: 1 } }],
  ["ExpandDims", { types: { T: 0, Tdim: 1 } }],
  ["Squeeze", { types: { T: 0 }, attributes: ["squeeze_dims"] }],
  ["Slice", { types: { T: 0, Index: 1 } }],
  ["Pad", { types: { T: 0, Tpaddings: 1 } }],
  ["PadV2", { types: { T: 0, Tpaddings: 1 } }],
  ["Tile", { types: { T: 0, Tmultiples: 1 } }],
  ["BroadcastTo", { types: { T: 0, Tidx: 1 } }],
  ["Fill", { types: { T: 1, index_type: 0 } }],
  ["Pack", { types: { T: 0 }, attributes: ["N", "axis"] }],
  ["Unpack", { types: { T: 0 }, attributes: ["num", "axis"] }],
  ["ConcatV2", { types: { T: 0 }, attributes: ["N", "Tidx"] }],
  ["Split", { types: { T: 1 }, attributes: ["num_split"] }],
  ["SplitV", { types: { T: 0, Tlen: 1 }, attributes: ["num_split"] }],
  ["Select", { types: { T: 1 } }],
  ["SelectV2", { types: { T: 1 } }],
  ["GatherV2", { types: { Tparams: 0, Tindices: 1, Taxis: 2 }, attributes: ["batch_dims"] }],
  ["GatherNd", { types: { Tparams: 0, Tindices: 1 } }],
  ["ScatterNd", { types: { T: 1, Tindices: 0 } }],
  ["TensorScatterSub", SCATTER],
  ["TensorScatterAdd", SCATTER],
  ["TensorScatterUpdate", SCATTER],
  ["UnsortedSegmentSum", { types: { T: 0, Tindices: 1, Tnumsegments: 2 } }],
  ["StatelessRandomUniform", { types: { T: 0, Tseed: 1 }, attributes: ["dtype"] }],
  ["Range", { types: { Tidx: 0 } }],
  ["Cumsum", { types: { T: 0, Tidx: 1 }, attributes: ["exclusive", "reverse"] }],
  ["ArgMax", { types: { T: 0, Tidx: 1 }, attributes: ["output_type"] }],
  [
    "StridedSlice",
    {
      types: { T: 0, Index: 1 },
      attributes: ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"],
    },
  ],
]);

/**
 * All attributes that an op needs in a graph.
 * @param given what the eager op was called with
 * @throws KitError for an op that the table does not know: what it would do in a graph cannot be told
 */
export function completeAttributes(op: string, inputs: readonly Edge[], given: Attributes): Attributes {
  const entry = OPS.get(op);
  if (entry === undefined) {
    throw new KitError(
      `the op ${op} cannot be recorded: the attributes that it needs in a graph are not known`,
      "train without compiling (compile: false, --eager), or add the op to src/engine/compile/op-table.ts",
    );
  }
  const attributes: Record<string, Attribute> = {};
  for (const [name, index] of Object.entries(entry.types)) {
    const input = inputs[index];
    if (input === undefined) throw new RangeError(`${op} was given ${inputs.length} inputs`);
    attributes[name] = typeAttribute(typeOf(input).dtype);
  }
  for (const name of entry.attributes ?? []) {
    const attribute = given[name];
    if (attribute !== undefined) attributes[name] = attribute;
  }
  return attributes;
}
