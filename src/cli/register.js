// Runs the TypeScript sources as they are, without a build step and without a cache folder outside the clone.
import { register } from "tsx/esm/api";

process.env.TSX_DISABLE_CACHE ??= "1";
register();
