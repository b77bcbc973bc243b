/** A file of a Python package index, fixed by its hash. */
export interface PinnedFile {
  /** Name of the project in the index. */
  readonly project: string;
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** One build of the native TensorFlow library. */
export interface NativeVariant {
  /** Name of its folder in the cache. */
  readonly name: string;
  readonly version: string;
  readonly architecture: "x64" | "arm64";
  readonly gpu: boolean;
  /** True where nobody of the project has run it. */
  readonly untested: boolean;
  readonly wheel: PinnedFile;
  /** Space that it takes in the cache once unpacked, in bytes. */
  readonly unpackedSize: number;
}

/** TensorFlow 2.21, whose C interface the binding of TensorFlow.js 4.22 is compiled against. */
export const TENSORFLOW_VERSION = "2.21.0";

/**
 * The wheels for Python 3.11 serve as archives: the C++ library and the C headers in them are all that is used, so
 * the version of the user's Python does not matter.
 */
export const NATIVE_VARIANTS: readonly NativeVariant[] = [
  {
    name: `${TENSORFLOW_VERSION}-cpu-x64`,
    version: TENSORFLOW_VERSION,
    architecture: "x64",
    gpu: false,
    untested: false,
    wheel: {
      project: "tensorflow-cpu",
      file: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      size: 273_829_956,
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    },
    unpackedSize: 860_000_000,
  },
  {
    name: `${TENSORFLOW_VERSION}-gpu-x64`,
    version: TENSORFLOW_VERSION,
    architecture: "x64",
    gpu: true,
    untested: true,
    wheel: {
      project: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      size: 572_440_367,
      sha256: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
    },
    unpackedSize: 8_000_000_000,
  },
  {
    name: `${TENSORFLOW_VERSION}-cpu-arm64`,
    version: TENSORFLOW_VERSION,
    architecture: "arm64",
    gpu: false,
    untested: true,
    wheel: {
      project: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
      size: 281_828_020,
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
    },
    unpackedSize: 900_000_000,
  },
];

/** The libraries that the binding is linked with. */
export const LIBRARIES = ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"] as const;

/** What is taken out of the wheel: the libraries, those that they carry along, and the C headers (12 % of the files). */
export const WHEEL_MEMBERS: readonly string[] = [
  ...LIBRARIES.map((library) => `tensorflow/${library}`),
  "tensorflow.libs/",
  "tensorflow/include/tensorflow/c/",
  "tensorflow/include/tensorflow/core/platform/ctstring",
  "tensorflow/include/tsl/platform/ctstring",
  "tensorflow/include/xla/tsl/c/",
  "tensorflow/THIRD_PARTY_NOTICES.txt",
];
