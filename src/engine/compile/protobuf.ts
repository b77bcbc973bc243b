import { createRequire } from "node:module";

/**
 * The protobuf messages that come with tfjs-node, as far as a graph needs them. They have no types of their own; a map
 * field is reached through its getter, everything else through setters and adders.
 */
export interface ProtobufMap<Value> {
  set(key: string, value: Value): void;
}

export interface AttrValue {
  setS(value: Uint8Array): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setType(value: number): void;
  setShape(value: TensorShape): void;
  setTensor(value: TensorMessage): void;
  setList(value: ListValue): void;
  setFunc(value: NameAttrList): void;
}

export interface ListValue {
  setIList(value: readonly number[]): void;
  setTypeList(value: readonly number[]): void;
}

export interface NameAttrList {
  setName(value: string): void;
}

export interface TensorShape {
  setUnknownRank(value: boolean): void;
  addDim(): { setSize(value: number): void };
}

export interface TensorMessage {
  setDtype(value: number): void;
  setTensorShape(value: TensorShape): void;
  setTensorContent(value: Uint8Array): void;
}

export interface NodeDef {
  setName(value: string): void;
  setOp(value: string): void;
  setInputList(value: readonly string[]): void;
  getAttrMap(): ProtobufMap<AttrValue>;
}

export interface ArgDef {
  setName(value: string): void;
  setType(value: number): void;
}

export interface OpDef {
  setName(value: string): void;
  setInputArgList(value: readonly ArgDef[]): void;
  setOutputArgList(value: readonly ArgDef[]): void;
}

export interface FunctionDef {
  setSignature(value: OpDef): void;
  setNodeDefList(value: readonly NodeDef[]): void;
  getAttrMap(): ProtobufMap<AttrValue>;
  getRetMap(): ProtobufMap<string>;
}

export interface GraphDef {
  setNodeList(value: readonly NodeDef[]): void;
  setVersions(value: VersionDef): void;
  setLibrary(value: FunctionDefLibrary): void;
}

export interface VersionDef {
  setProducer(value: number): void;
}

export interface FunctionDefLibrary {
  setFunctionList(value: readonly FunctionDef[]): void;
}

export interface MetaInfoDef {
  addTags(value: string): void;
}

export interface MetaGraphDef {
  setMetaInfoDef(value: MetaInfoDef): void;
  setGraphDef(value: GraphDef): void;
}

export interface SavedModel {
  setSavedModelSchemaVersion(value: number): void;
  addMetaGraphs(value: MetaGraphDef): void;
  serializeBinary(): Uint8Array;
}

interface Messages {
  readonly AttrValue: (new () => AttrValue) & { readonly ListValue: new () => ListValue };
  readonly NameAttrList: new () => NameAttrList;
  readonly TensorShape: new () => TensorShape;
  readonly Tensor: new () => TensorMessage;
  readonly NodeDef: new () => NodeDef;
  readonly OpDef: (new () => OpDef) & { readonly ArgDef: new () => ArgDef };
  readonly FunctionDef: new () => FunctionDef;
  readonly FunctionDefLibrary: new () => FunctionDefLibrary;
  readonly GraphDef: new () => GraphDef;
  readonly VersionDef: new () => VersionDef;
  readonly MetaGraphDef: (new () => MetaGraphDef) & { readonly MetaInfoDef: new () => MetaInfoDef };
  readonly SavedModel: new () => SavedModel;
}

let loaded: Messages | undefined;

/** The messages; read when first used, because they are large. */
export function messages(): Messages {
  loaded ??= createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js") as Messages;
  return loaded;
}
