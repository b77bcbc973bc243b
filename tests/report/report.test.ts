import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { JSDOM } from "jsdom";
import { main } from "../../src/cli/main.js";
import { plotlySource } from "../../src/report/plotly.js";
import { readReport } from "../../src/report/read-report.js";
import { type Report, writeReport } from "../../src/report/report.js";
import { KitError } from "../../src/support/errors.js";
import { FIGURES } from "./samples.js";

const EVIL = `</script><script>alert("x")</script><!-- & 'quotes' \u2028`;

const REPORT: Report = {
  title: `Report ${EVIL}`,
  summary: ["Yes: IFT beats SFT.", EVIL],
  sections: [
    {
      heading: EVIL,
      text: [EVIL],
      ...(FIGURES.differences === undefined ? {} : { figure: FIGURES.differences }),
    },
    {
      heading: "Numbers",
      ...(FIGURES.arms === undefined ? {} : { figure: { ...FIGURES.arms, description: EVIL } }),
      table: {
        columns: [{ name: "arm" }, { name: "score", unit: "%" }, { name: EVIL }],
        rows: [
          ["IFT", 12345, EVIL],
          ["SFT", 0.123456, "x"],
        ],
      },
    },
  ],
  manifest: { evil: EVIL, seeds: [1, 2] },
};

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ift-kit-report-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("the page is one file that needs nothing else, and what rows say cannot become code", async (context) => {
  const { html, json, images } = await writeReport(folder(context), REPORT);
  const page = readFileSync(html, "utf8");
  assert.equal(
    page.split("plotly.js v").length - 1,
    plotlySource().split("plotly.js v").length - 1,
    "plotly.js is in it once",
  );
  const { document } = new JSDOM(page).window;
  assert.deepEqual(
    [...document.querySelectorAll("script")].map((script) => script.type),
    ["application/json", "", ""],
  );
  for (const name of ["src", "href"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      assert.match(element.getAttribute(name) ?? "", /^data:image\/png;base64,/);
    }
  }
  assert.match(
    document.querySelector("meta[http-equiv]")?.getAttribute("content") ?? "",
    /default-src 'none'/,
  );
  assert.equal(document.querySelector("h1")?.textContent, `Report ${EVIL}`);
  assert.equal(document.querySelectorAll(".summary li")[1]?.textContent, EVIL);
  assert.equal(document.querySelector("td:last-child")?.textContent, EVIL);
  assert.equal(document.querySelector("td.number")?.textContent, "12,345");
  const data = JSON.parse(document.getElementById("report-data")?.textContent ?? "") as {
    figures: { id: string }[];
  };
  assert.deepEqual(
    data.figures.map(({ id }) => id),
    ["differences", "arms"],
  );
  assert.deepEqual(JSON.parse(document.querySelector(".manifest pre")?.textContent ?? ""), REPORT.manifest);
  assert.deepEqual(readReport(json), REPORT);
  assert.ok(images.every((path) => existsSync(path)));
  assert.equal(document.querySelectorAll("img.still").length, 2);
});

test("the page draws each figure, again in the other colours, and sends nothing away", async (context) => {
  const { html } = await writeReport(folder(context), REPORT);
  const page = readFileSync(html, "utf8");
  const start = page.indexOf("<script>") + "<script>".length;
  const end = page.indexOf("</script>", start);
  interface Drawn {
    readonly id: string;
    readonly layout: {
      readonly template: { readonly layout: { readonly font: { readonly color: string } } };
    };
    readonly config: { readonly showSendToCloud: boolean };
    readonly data: string;
  }
  const drawn: Drawn[] = [];
  let change: () => void = () => assert.fail("the page does not listen to the colour scheme");
  const scheme = {
    matches: false,
    addEventListener: (_: string, listener: () => void) => (change = listener),
  };
  new JSDOM(page.slice(0, start) + page.slice(end), {
    runScripts: "dangerously",
    beforeParse(window) {
      Object.assign(window, {
        matchMedia: () => scheme,
        structuredClone,
        Plotly: {
          react: (element: Element, data: unknown, layout: Drawn["layout"], config: Drawn["config"]) => {
            drawn.push({ id: element.id, layout, config, data: JSON.stringify(data) });
            return Promise.resolve();
          },
        },
      });
    },
  });
  assert.deepEqual(
    drawn.map(({ id }) => id),
    ["figure-differences", "figure-arms"],
  );
  scheme.matches = true;
  change();
  assert.equal(drawn.length, 4);
  const [light, , dark] = drawn;
  assert.notEqual(light?.layout.template.layout.font.color, dark?.layout.template.layout.font.color);
  assert.ok(light?.data.includes("#0072b2") === true && dark?.data.includes("#0072b2") === false);
  assert.ok(drawn.every(({ config }) => !config.showSendToCloud));
});

test("`ift-kit report` draws a stored report again, to the byte", async (context) => {
  const path = folder(context);
  const first = await writeReport(join(path, "run", "report"), REPORT);
  context.mock.method(console, "log", () => undefined);
  await main(["node", "ift-kit", "report", join(path, "run"), "--out", join(path, "again")]);
  assert.equal(process.exitCode ?? 0, 0);
  assert.ok(readFileSync(join(path, "again", "report.html")).equals(readFileSync(first.html)));
  assert.ok(
    readFileSync(join(path, "again", "images", "arms.png")).equals(readFileSync(first.images[1] ?? "")),
  );
});

test("a report that cannot be written leaves nothing behind", async (context) => {
  const path = folder(context);
  const figure = FIGURES.arms ?? assert.fail();
  const section = { heading: "h", figure };
  const cases: [Report, RegExp][] = [
    [{ ...REPORT, sections: [section, section] }, /two figures have the id "arms"/],
    [
      {
        ...REPORT,
        sections: [{ heading: "h", table: { columns: [{ name: "a" }], rows: [["1"], ["1", "2"]] } }],
      },
      /row 2.*1 columns/,
    ],
    [
      {
        ...REPORT,
        sections: [
          { heading: "h", figure: { ...figure, data: [{ ...figure.data[0], mode: "dots" }] as never } },
        ],
      },
      /figure "arms"/,
    ],
  ];
  for (const [report, message] of cases) {
    const target = join(path, "out");
    await assert.rejects(
      writeReport(target, report),
      (error) => error instanceof KitError && message.test(error.message),
    );
    assert.ok(!existsSync(target));
  }
  writeFileSync(join(path, "file"), "");
  await assert.rejects(
    writeReport(join(path, "file"), { ...REPORT, sections: [] }),
    /a part of the path is a file/,
  );
});

test("what is not a stored report is an error with its place", (context) => {
  const path = folder(context);
  mkdirSync(path, { recursive: true });
  const file = join(path, "report.json");
  const cases: [unknown, RegExp][] = [
    [{ title: "x" }, /field "version".*not a report/],
    [{ version: 1, title: "x", summary: [], sections: [{}], manifest: 1 }, /field "sections\.0\.heading"/],
    [{ version: 1, title: "x", summary: "text", sections: [], manifest: 1 }, /field "summary"/],
  ];
  for (const [value, message] of cases) {
    writeFileSync(file, JSON.stringify(value));
    assert.throws(
      () => readReport(file),
      (error) => error instanceof KitError && message.test(error.message),
    );
  }
});
