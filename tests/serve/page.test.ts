import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { startEngine } from "../../src/engine/start.js";
import { kitModel } from "../../src/serve/kit-model.js";
import { scriptedModel } from "../../src/serve/scripted-model.js";
import type { ServedModel } from "../../src/serve/served-model.js";
import { type RunningServer, startServer } from "../../src/serve/server.js";
import { findBrowser } from "./browser.js";

/** A folder that gets pictures of the page. */
const PICTURES = process.env.SERVE_PICTURES;

describe("serve: the page, in a browser", () => {
  let server: RunningServer;
  let browser: Browser;

  before(async () => {
    const executablePath = findBrowser();
    await startEngine();
    const models = [
      await kitModel("decoder", { id: "base", template: "continue" }),
      await kitModel("decoder", { id: "sft", template: "mini-sft" }),
      await kitModel("decoder", { id: "ift" }),
    ];
    server = await startServer({ models });
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
  });
  after(async () => {
    // They are not there when no browser was found.
    await (browser as Browser | undefined)?.close();
    await (server as RunningServer | undefined)?.close();
  });

  async function open(
    width: number,
    colorScheme: "light" | "dark" = "light",
  ): Promise<{ readonly page: Page; readonly problems: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("pageerror", ({ message }) => problems.push(message));
    await page.goto(server.url);
    await page.waitForSelector("article:nth-of-type(3)");
    return { page, problems };
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (PICTURES !== undefined)
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }

  const ended = (page: Page): Promise<unknown> =>
    page.waitForFunction(() =>
      [...document.querySelectorAll(".state")].every(({ textContent }) => /\d+ tokens? in/.test(textContent)),
    );

  it("asks all models, by keyboard alone, and shows what else was probable", async () => {
    const { page, problems } = await open(1280);
    await page.focus("#prompt");
    await page.keyboard.press("Control+Enter");
    await ended(page);
    const answers = await page.locator(".answer").allTextContents();
    assert.equal(answers.length, 3);
    for (const answer of answers) assert.ok(answer.length > 20, answer);
    assert.equal(new Set(answers).size, 3, "the templates differ, so the answers do");
    const count = await page.locator("article:first-of-type .answer span").count();
    assert.match(
      (await page.textContent("article:first-of-type .state")) ?? "",
      new RegExp(`^${count} tokens? in`),
    );
    // From the prompt to the first answer: settings, buttons, template, prompt, answer.
    for (let presses = 0; presses < 20; presses++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.className === "answer")) break;
    }
    await page.keyboard.press("ArrowRight");
    assert.equal(
      await page.textContent(".answer span.here"),
      await page.textContent(".answer span:nth-child(2)"),
    );
    assert.equal(await page.textContent("article:first-of-type .place"), "Most probable at token 2:");
    const shares = await page.locator("article:first-of-type .tops .number").allTextContents();
    assert.ok(shares.length >= 5);
    const numbers = shares.map((share) => Number.parseFloat(share));
    assert.ok(numbers.reduce((sum, share) => sum + share, 0) <= 100.3);
    assert.deepEqual(
      numbers.slice(0, 5),
      [...numbers.slice(0, 5)].sort((a, b) => b - a),
      "best first",
    );
    await page.hover("article:nth-of-type(2) .answer span:nth-child(3)");
    assert.equal(await page.locator("article:nth-of-type(2) .tops .chosen").count(), 1);
    await picture(page, "desktop");
    assert.deepEqual(problems, []);
    await page.close();
  });

  it("shows the prompt in its template, and another one when that is switched", async () => {
    const { page, problems } = await open(1280);
    const card = page.locator("article:nth-of-type(3)");
    await page.waitForFunction(
      () => document.querySelector("article:nth-of-type(3) pre")?.textContent !== "",
    );
    assert.match((await card.locator("pre").textContent()) ?? "", /^<\|bos\|> Write the fruit twice\./);
    await card.locator("select").selectOption("alpaca");
    await page.waitForFunction(() =>
      document.querySelector("article:nth-of-type(3) pre")?.textContent.includes("### Instruction:"),
    );
    await picture(page, "template");
    assert.deepEqual(problems, []);
    await page.close();
  });

  it("a text of a model or a user is never markup", async () => {
    const evil = "<img src=x onerror=alert(1)><b>bold</b>";
    const other = await startServer({ models: [scriptedModel("evil <i>name</i>", () => evil)] });
    const page = await browser.newPage();
    await page.goto(other.url);
    await page.waitForSelector("article");
    assert.equal(await page.textContent("h2"), "evil <i>name</i>");
    assert.equal(await page.locator("article i, article img, article b").count(), 0);
    await page.fill("#prompt", evil);
    await page.waitForFunction((text) => document.querySelector("pre")?.textContent.includes(text), evil);
    await page.click("button[type=submit]");
    await page.waitForFunction(() => document.querySelector(".state.problem") !== null);
    assert.match((await page.textContent(".state")) ?? "", /scripted and has no probabilities/);
    assert.equal(await page.locator("article img, article b").count(), 0);
    // Inline code of others is stopped by the policy.
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      return "ran" in window;
    });
    assert.equal(ran, false);
    await page.close();
    await other.close();
  });

  it("stop ends the answers where they are", async () => {
    const never: ServedModel = {
      ...scriptedModel("never-ending", () => ""),
      async *complete(_, signal) {
        const token = { text: " and", logprob: -0.5, top: [{ text: " and", logprob: -0.5 }] };
        for (;;) {
          yield { kind: "piece", text: token.text, tokens: [token] };
          await sleep(20, undefined, { signal });
        }
      },
    };
    const other = await startServer({ models: [never] });
    const page = await browser.newPage();
    await page.goto(other.url);
    await page.waitForSelector("article");
    await page.click("button[type=submit]");
    await page.waitForSelector(".answer span");
    await page.click("#stop");
    await ended(page);
    assert.match((await page.textContent(".state")) ?? "", /stopped\.$/);
    await page.close();
    await other.close();
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`fits a phone, ${scheme}`, async () => {
      const { page, problems } = await open(375, scheme);
      await page.click("button[type=submit]");
      await ended(page);
      await page.click("article:first-of-type .answer span:nth-child(2)");
      await page.waitForFunction(
        () => document.querySelector("article:nth-of-type(2) pre")?.textContent !== "",
      );
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, "nothing is wider than the screen");
      const low = await page
        .locator("button, input:visible, select, textarea")
        .evaluateAll((all) =>
          all.map((each) => each.getBoundingClientRect().height).filter((height) => height < 40),
        );
      assert.deepEqual(low, [], "what is touched is high enough for a finger");
      await picture(page, `phone-${scheme}`);
      assert.deepEqual(problems, []);
      await page.close();
    });
  }
});
