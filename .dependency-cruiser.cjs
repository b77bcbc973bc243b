// Imports go one way (a layer may use itself and the layers before it), and there are no cycles.
const layers = [
  "support",
  "data",
  "similarity",
  "tokenizer",
  "engine",
  "model",
  "train",
  "evaluate",
  "generate",
  "experiment",
  "report",
  "serve",
  "notebook",
  "cli",
];

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    ...layers.slice(0, -1).map((layer, index) => ({
      name: `${layer}-knows-no-later-layer`,
      severity: "error",
      from: { path: `^src/${layer}/` },
      to: { path: `^src/(${layers.slice(index + 1).join("|")})/` },
    })),
    {
      name: "src-knows-no-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^tests/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};
