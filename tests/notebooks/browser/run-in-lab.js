// Opens a notebook in JupyterLab in a real browser, runs all cells and takes a picture of the whole notebook:
//
//   node tests/notebooks/browser/run-in-lab.js NOTEBOOK OUT.png [--seconds 600] [--interrupt-after 5]
//   node tests/notebooks/browser/run-in-lab.js NOTEBOOK OUT.png --as-stored [--trust]
//
// With --as-stored nothing is run: the picture shows what a reader of a fresh clone sees, in the untrusted state, or with
// --trust after `jupyter trust`. Needs a Chromium (CHROMIUM names it; default /usr/bin/chromium). Works on a copy of the
// notebook. Prints one line of JSON; the exit code is 1 when a cell failed or was not run. Not part of the tests.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { get } from "node:http";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import "../../../src/cli/register.js";

const { notebookEnvironment } = await import("../../../src/notebook/environment.ts");
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "600" },
    "interrupt-after": { type: "string" },
    "as-stored": { type: "boolean", default: false },
    trust: { type: "boolean", default: false },
  },
});
const [notebook, picture] = positionals;
if (notebook === undefined || picture === undefined) {
  console.error("usage: node tests/notebooks/browser/run-in-lab.js NOTEBOOK OUT.png");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "ift-kit-lab-"));

const lab = await startLab();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(`${lab.url}/lab/tree/${encodeURIComponent(basename(notebook))}?token=${lab.token}&reset`);
  await page.waitForSelector(".jp-Notebook .jp-CodeCell", { timeout: 60_000 });
  await waitForKernel(page);
  if (!values["as-stored"]) {
    await page.click('.lm-MenuBar-item:has-text("Run")');
    await page.click('.lm-Menu-item[data-command="runmenu:run-all"]');
  }
  if (values["interrupt-after"] !== undefined) {
    await sleep(Number(values["interrupt-after"]) * 1000);
    await page.click('.jp-Toolbar-item[data-jp-item-name="interrupt"]');
  }
  const finished = await waitForCells(page, Number(values.seconds));
  await enterFigures(page);
  const result = { notebook, finished, ...(await page.evaluate(describePage)) };
  await takePicture(page);
  console.log(JSON.stringify(result));
  process.exitCode = finished && result.errors.length === 0 && result.notRun === 0 ? 0 : 1;
} finally {
  await browser.close();
  lab.process.kill("SIGTERM");
  await sleep(1000);
  lab.process.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

async function startLab() {
  const work = join(folder, "work");
  mkdirSync(work);
  cpSync(notebook, join(work, basename(notebook)));
  // All cells stay in the page, so that the picture shows all of them.
  const settings = join(folder, "settings", "@jupyterlab", "notebook-extension");
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, "tracker.jupyterlab-settings"), JSON.stringify({ windowingMode: "none" }));
  const notices = join(folder, "settings", "@jupyterlab", "apputils-extension");
  mkdirSync(notices, { recursive: true });
  writeFileSync(join(notices, "notification.jupyterlab-settings"), JSON.stringify({ fetchNews: "false" }));
  const { python, variables } = notebookEnvironment();
  const environment = { ...variables, JUPYTER_DATA_DIR: join(folder, "data") };
  if (values.trust) {
    execFileSync(python, ["-m", "jupyter", "trust", join(work, basename(notebook))], { env: environment });
  }
  const port = await freePort();
  const token = "look";
  const child = spawn(
    python,
    [
      ...["-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", `--port=${port}`],
      ...[`--ServerApp.root_dir=${work}`, `--IdentityProvider.token=${token}`],
      `--LabApp.user_settings_dir=${join(folder, "settings")}`,
      "--LabApp.expose_app_in_browser=True",
      "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ],
    { env: environment, stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 240; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`JupyterLab ended:\n${log.slice(-3000)}`);
    if (await answers(`${url}/api/status?token=${token}`)) return { url, token, process: child };
    await sleep(250);
  }
  throw new Error(`JupyterLab does not answer:\n${log.slice(-3000)}`);
}

function answers(url) {
  return new Promise((done) => {
    get(url, (response) => done(response.resume().statusCode === 200)).on("error", () => done(false));
  });
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Before the kernel is there, "run all" asks which one to use. */
async function waitForKernel(page) {
  const selector = '.jp-Notebook-ExecutionIndicator[data-status="idle"]';
  for (let quiet = 0; quiet < 4; quiet += 1) {
    await page.waitForSelector(selector, { timeout: 60_000 });
    await sleep(500);
    if (!(await page.isVisible(selector))) quiet = 0;
  }
}

/** True when the kernel stayed idle with no cell waiting, false when the time was up. */
async function waitForCells(page, seconds) {
  const end = Date.now() + seconds * 1000;
  let quiet = 0;
  while (Date.now() < end) {
    await sleep(500);
    const busy = await page.evaluate(() => {
      const { document } = globalThis;
      const waiting = [...document.querySelectorAll(".jp-Notebook .jp-InputPrompt")].some((prompt) =>
        prompt.textContent?.includes("*"),
      );
      const status = document.querySelector(".jp-Notebook-ExecutionIndicator")?.getAttribute("data-status");
      return waiting || status !== "idle";
    });
    quiet = busy ? 0 : quiet + 1;
    if (quiet >= 4) return true;
  }
  return false;
}

/** Runs in the page. */
function describePage() {
  const { document, jupyterapp } = globalThis;
  const { cells } = jupyterapp.shell.currentWidget.content.model.toJSON();
  const codeCells = cells.filter((cell) => cell.cell_type === "code" && [cell.source].flat().join("").trim());
  const count = (selector) => document.querySelectorAll(`.jp-Notebook ${selector}`).length;
  return {
    codeCells: codeCells.length,
    notRun: codeCells.filter((cell) => cell.execution_count === null).length,
    errors: codeCells
      .flatMap((cell) => cell.outputs)
      .filter((output) => output.output_type === "error")
      .map((output) => `${output.ename}: ${output.evalue}`),
    liveFigures: count(".js-plotly-plot"),
    pictures: count(".jp-RenderedImage img") + count(".plot-img"),
  };
}

/** A figure comes to life when the mouse enters its picture. */
async function enterFigures(page) {
  for (const figure of await page.locator(".jp-Notebook .plot-img").all()) {
    // One that has come to life already is hidden behind its figure.
    if (!(await figure.isVisible())) continue;
    await figure.scrollIntoViewIfNeeded();
    await figure.dispatchEvent("mouseenter");
    await sleep(1500);
  }
}

async function takePicture(page) {
  const height = await page.evaluate(() => {
    const { document } = globalThis;
    const cells = [...document.querySelectorAll(".jp-Notebook .jp-Cell")];
    return cells.reduce((sum, cell) => sum + cell.getBoundingClientRect().height + 12, 260);
  });
  await page.setViewportSize({ width: 1280, height: Math.min(12_000, Math.ceil(height)) });
  await sleep(1500);
  await page.locator(".jp-Notebook .jp-Cell").first().scrollIntoViewIfNeeded();
  await page.locator(".jp-NotebookPanel:visible").screenshot({ path: picture });
}
