import protobuf from "protobufjs";

/** What the kit writes of TensorBoard's events (tensorflow/core/util/event.proto, framework/summary.proto). */
const root = protobuf.parse(
  `syntax = "proto3";
   message Event {
     double wall_time = 1;
     int64 step = 2;
     oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
   }
   message SessionLog { enum Status { UNSPECIFIED = 0; START = 1; STOP = 2; } Status status = 1; }
   message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }`,
  { keepCase: true },
).root;
const Event = root.lookupType("Event");

/** One event. */
export interface LogEvent {
  /** Seconds since 1970. */
  readonly wall_time: number;
  readonly step: number;
  /** Of the first event of a file. */
  readonly file_version?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simple_value: number }[] };
  /** Status 1: the run starts (again) at this step; what older files have from here on no longer counts. */
  readonly session_log?: { readonly status: number };
}

/** The event as bytes. */
export function encodeEvent(event: LogEvent): Uint8Array {
  return Event.encode(Event.fromObject(event)).finish();
}

/** An event of `encodeEvent`, or of TensorBoard's own writer as far as the kit knows it. */
export function decodeEvent(bytes: Uint8Array): LogEvent {
  const given = Event.toObject(Event.decode(bytes), { longs: Number });
  return { step: 0, ...given } as unknown as LogEvent; // proto3 leaves zeros out.
}
