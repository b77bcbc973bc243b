import { localPlace } from "../../src/experiment/places/local.js";
import { planRuns } from "../../src/experiment/plan/expand.js";
import { doRuns } from "../../src/experiment/pool.js";
import { RunStore } from "../../src/experiment/store.js";
import { savePlan } from "../../src/experiment/store/overview.js";
import { GRID_PLAN } from "./grid-plan.js";

// A process that works on the grid: node grid-child.ts STORE. The test kills it, or starts two of them.
const store = new RunStore(process.argv[2] ?? "");
const runs = await planRuns(GRID_PLAN);
savePlan(store, GRID_PLAN, runs);
const place = localPlace({ processes: 1 });
await doRuns(
  runs.map(({ specification }) => specification),
  store,
  { place },
);
await place.close();
store.close();
