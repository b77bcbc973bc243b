import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { KitError } from "../../../src/support/errors.js";
import { MlflowClient } from "../../../src/train/track/mlflow/client.js";
import { mlflowServer, MlflowTracker, type MlflowRun } from "../../../src/train/track/mlflow/mlflow.js";
import { MlflowStandIn, type StoredRun } from "./mlflow-server.js";
import { madeUpRecords } from "./records.js";

const root = mkdtempSync(join(tmpdir(), "ift-kit-mlflow-"));
after(() => rmSync(root, { recursive: true, force: true }));

const runAt = (uri: string, file: string, token?: string): MlflowRun => ({
  server: { uri, ...(token === undefined ? {} : { token }) },
  experiment: "instruction tuning",
  name: "alpaca",
  parameters: { "train.seed": "1", template: "x".repeat(600) },
  stateFile: join(root, file),
});
async function serverFor(context: TestContext, token?: string): Promise<[MlflowStandIn, string]> {
  const server = new MlflowStandIn(token);
  const uri = await server.listen();
  context.after(() => server.close());
  return [server, uri];
}
const lossesOf = ({ metrics }: StoredRun): [number, number][] =>
  metrics.filter(({ key }) => key === "train/loss").map(({ step, value }) => [step, value]);

test("a run with its parameters, curves and status; a resumed run goes on in it without a point twice", async (context) => {
  const [server, uri] = await serverFor(context, "secret");
  const records = madeUpRecords(200);
  const expected = records.map(({ step, loss }) => [step, loss]);
  const first = new MlflowTracker(runAt(uri, "run.json", "secret"));
  first.start([]);
  for (const record of records.slice(0, 150)) first.step(record);
  await first.end("stopped");
  const [run] = server.runs.values();
  assert.ok(run);
  assert.deepEqual(lossesOf(run), expected.slice(0, 150));
  assert.deepEqual(run.statuses, ["RUNNING", "KILLED"]);
  assert.equal(run.name, "alpaca");
  assert.equal(run.parameters.get("train.seed"), "1");
  assert.equal(run.parameters.get("template")?.length, 500);
  assert.ok(run.metrics.some(({ key }) => key === "validation loss/Word analogy _a_b_"));
  assert.ok(!readFileSync(join(root, "run.json"), "utf8").includes("secret"));

  const second = new MlflowTracker(runAt(uri, "run.json", "secret"));
  second.start(records.slice(0, 140)); // The checkpoint is older than what was logged.
  for (const record of records.slice(140)) second.step(record);
  await second.end("finished");
  assert.equal(server.runs.size, 1);
  assert.deepEqual(lossesOf(run), expected);
  assert.deepEqual(run.statuses, ["RUNNING", "KILLED", "RUNNING", "FINISHED"]);
  assert.deepEqual([...server.experiments.keys()], ["instruction tuning"]);

  // Another run of the same experiment; and one whose run was deleted on the server is made anew, whole.
  const third = new MlflowTracker(runAt(uri, "other.json", "secret"));
  third.start([]);
  await third.end("failed");
  assert.equal(server.experiments.size, 1);
  assert.equal([...server.runs.values()][1]?.statuses.at(-1), "FAILED");
  server.runs.delete(run.id);
  const fourth = new MlflowTracker(runAt(uri, "run.json", "secret"));
  fourth.start(records);
  await fourth.end("finished");
  assert.deepEqual(lossesOf([...server.runs.values()].at(-1) ?? run), expected);
});

test("a dead server is said once, and does not stop the run; what it lacks is sent later", async (context) => {
  const [server, uri] = await serverFor(context);
  const said = context.mock.method(console, "error", () => undefined);
  server.broken = true;
  const records = madeUpRecords(20);
  const first = new MlflowTracker(runAt(uri, "dead.json"));
  first.start([]);
  for (const record of records.slice(0, 10)) first.step(record);
  await first.end("stopped");
  assert.equal(said.mock.callCount(), 1);
  assert.match(
    String(said.mock.calls[0]?.arguments[0]),
    /training goes on, MLflow does not follow: MLflow refused .* 500/,
  );
  server.broken = false;
  const second = new MlflowTracker(runAt(uri, "dead.json"));
  second.start(records.slice(0, 10));
  for (const record of records.slice(10)) second.step(record);
  await second.end("finished");
  const [run] = server.runs.values();
  assert.ok(run);
  assert.deepEqual(
    lossesOf(run),
    records.map(({ step, loss }) => [step, loss]),
  );

  const nobody = new MlflowTracker(runAt("http://127.0.0.1:9", "nobody.json"));
  nobody.start([]);
  await nobody.end("finished");
  assert.equal(said.mock.callCount(), 2);
  assert.match(String(said.mock.calls[1]?.arguments[0]), /at http:\/\/127.0.0.1:9 does not answer/);
});

test("a refused token names the variable; the token and passwords are never taken from elsewhere", async (context) => {
  const [, uri] = await serverFor(context, "secret");
  await assert.rejects(
    new MlflowClient({ uri, token: "wrong" }).experiment("x"),
    (error) =>
      error instanceof KitError &&
      error.message.includes("401") &&
      error.cure === "set MLFLOW_TRACKING_TOKEN",
  );
  assert.deepEqual(mlflowServer({ MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: "t" }), {
    uri,
    token: "t",
  });
  assert.deepEqual(mlflowServer({ MLFLOW_TRACKING_URI: "http://other" }, uri), { uri });
  assert.equal(mlflowServer({}), undefined);
  assert.throws(() => mlflowServer({ MLFLOW_TRACKING_URI: "http://user:pass@host" }), /password in it/);
  assert.throws(() => mlflowServer({ MLFLOW_TRACKING_URI: "sqlite:///mlflow.db" }), /not one of HTTP/);
});
