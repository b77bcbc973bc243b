#!/usr/bin/env node
// Starts the command line: from the built package where there is one without sources, else from the live sources.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("./main.ts", import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`ift-kit: Node ${process.versions.node} is too old; install Node 20.19 or later.`);
  process.exit(1);
}
if (existsSync(fileURLToPath(source))) {
  await import("./register.js");
  const { main } = await import(source.href);
  await main(process.argv);
} else {
  const { main } = await import(new URL("../../dist/cli/main.js", import.meta.url).href);
  await main(process.argv);
}
