// Starts the notebook kernel: `node start.js --config-path <connection file of Jupyter>`.
// TypeScript loading is on only while the launcher itself is loaded, so that it cannot disturb what the cells load.
import { register } from "tsx/esm/api";

process.env.TSX_DISABLE_CACHE ??= "1";
const unregister = register();
const { startKernel } = await import("./main.ts");
await unregister();
await startKernel(process.argv.slice(2));
