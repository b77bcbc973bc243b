import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import type { Figure } from "../../src/report/figure.js";
import { armsWithIntervals } from "../../src/report/figures/arms-with-intervals.js";
import { doseCurve } from "../../src/report/figures/dose-curve.js";
import { learningCurves, thin } from "../../src/report/figures/learning-curves.js";
import { pairedDifferences } from "../../src/report/figures/paired-differences.js";
import { renderPng, renderSvg } from "../../src/report/png.js";
import { textWidth } from "../../src/report/text-size.js";
import {
  DARK_TEMPLATE,
  LIGHTER_COLORS,
  NEUTRAL,
  SERIES_STYLES,
  seriesStyle,
} from "../../src/report/theme.js";
import { KitError } from "../../src/support/errors.js";
import { around, FIGURES } from "./samples.js";

/** Share of pixels in a band of the picture that are darker than mid-grey. */
async function inkIn(png: Uint8Array, band: { from: number; to: number }): Promise<number> {
  const image = await loadImage(Buffer.from(png));
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, band.from, image.width, band.to - band.from);
  let dark = 0;
  for (let at = 0; at < data.length; at += 4)
    if ((data[at] ?? 255) + (data[at + 1] ?? 255) + (data[at + 2] ?? 255) < 384) dark++;
  return dark / (data.length / 4);
}

describe("pictures", () => {
  for (const [name, figure] of Object.entries(FIGURES)) {
    it(`${name}: plotly knows every field, and the picture has its size, title and units`, async () => {
      const png = await renderPng(figure, { width: 640, scale: 2 });
      assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
      const image = await loadImage(Buffer.from(png));
      assert.deepEqual([image.width, image.height], [1280, 2 * figure.layout.height]);
      const svg = await renderSvg(figure);
      for (const { title } of [figure.layout.xaxis, figure.layout.yaxis]) {
        if (title !== undefined) assert.match(title.text, /\(.+\)/, "an axis names its unit");
      }
      assert.ok(svg.includes(figure.layout.xaxis.title?.text.split(" ")[0] ?? "?"));
      assert.ok(svg.includes(figure.title.split(" ")[0] ?? "?"));
      assert.ok(figure.description.length > 40);
      assert.doesNotMatch(svg, /NaN|undefined/);
    });
  }

  it("text is drawn with the kit's own font; without a title there is no ink where it stands", async () => {
    const figure = FIGURES.differences;
    assert.ok(figure !== undefined);
    const title = { from: 20, to: 66 };
    const withTitle = await inkIn(await renderPng(figure), title);
    const without: Figure = {
      ...figure,
      layout: { ...figure.layout, title: { ...figure.layout.title, text: "" } },
    };
    assert.ok(withTitle > 0.01, `ink ${withTitle}`);
    assert.equal(await inkIn(await renderPng(without), title), 0);
    assert.ok(
      textWidth("wide text", 16, 400) > 60 &&
        textWidth("wide text", 16, 600) > textWidth("wide text", 16, 400),
    );
  });

  it("the axis title stands left of the tick labels", async () => {
    const figure = FIGURES.dose;
    assert.ok(figure !== undefined);
    const svg = await renderSvg(figure);
    const titleX = Number(/class="ytitle"[^>]*? x="([-\d.]+)"/.exec(svg)?.[1]);
    assert.ok(titleX > 8 && titleX < 30, `the title stands at ${titleX}`);
  });

  it("a title that is too wide is broken into lines and gets room", async () => {
    const figure = FIGURES.arms;
    assert.ok(figure !== undefined);
    const text = "A very long title that does not fit on one line of the picture at all ".repeat(2).trim();
    const long: Figure = { ...figure, layout: { ...figure.layout, title: { ...figure.layout.title, text } } };
    const image = await loadImage(Buffer.from(await renderPng(long, { width: 600, scale: 1 })));
    assert.ok(image.height > figure.layout.height + 20);
  });

  it("a legend of several lines gets room between the title and the plot", async () => {
    const names = [
      "a first arm",
      "another arm",
      "a third arm",
      "and one more arm",
      "the fifth arm",
      "a last arm",
    ];
    const figure = armsWithIntervals({
      id: "many",
      title: "Many arms",
      subtitle: "with a second line",
      valueTitle: "score (share)",
      series: names.map((name) => ({ name, points: [{ row: "r", ...around(0.5) }] })),
    });
    const svg = await renderSvg(figure, { width: 500 });
    const legendTop = Number(/class="legend"[^>]*transform="translate\([-\d.]+,([-\d.]+)\)"/.exec(svg)?.[1]);
    const lines = new Set(
      [...svg.matchAll(/class="traces"[^>]*transform="translate\([-\d.]+,([-\d.]+)\)"/g)].map(([, y]) => y),
    );
    assert.ok(lines.size > 1, "the legend must have several lines, or the test could not fail");
    assert.ok(legendTop >= 58, `the legend begins at ${legendTop}, the subtitle ends at about 58`);
  });

  it("the same figure gives the same bytes", async () => {
    const figure = FIGURES.arms;
    assert.ok(figure !== undefined);
    assert.deepEqual(await renderPng(figure), await renderPng(structuredClone(figure)));
  });

  it("a field that plotly does not know is an error, not a silent default", async () => {
    const figure = FIGURES.arms;
    assert.ok(figure !== undefined);
    const wrong = { ...figure, layout: { ...figure.layout, colour: "red" } };
    await assert.rejects(
      renderPng(wrong),
      (error) => error instanceof KitError && error.message.includes("colour"),
    );
  });
});

describe("builders", () => {
  it("an interval that holds 0 is grey and hollow, one that does not is coloured and full", () => {
    const figure = pairedDifferences({
      id: "d",
      title: "t",
      valueTitle: "difference (share)",
      rows: [
        { label: "plus", ...around(0.5) },
        { label: "none", ...around(0.01) },
        { label: "touches", mean: 0.1, low: 0, high: 0.2 },
        { label: "minus", ...around(-0.5) },
      ],
    });
    const [excludes, includes] = figure.data;
    assert.deepEqual(excludes?.x, [0.5, -0.5]);
    assert.deepEqual(includes?.x, [0.01, 0.1]);
    assert.equal(includes.marker?.symbol, "circle-open");
    assert.equal(includes.marker.color, NEUTRAL);
    assert.deepEqual(excludes.y, [3, 0], "the first row is on top");
    assert.equal(figure.layout.annotations?.[3]?.text, "−0.50 [−0.55, −0.45]");
  });

  it("error bars reach from the mean to the ends of the interval", () => {
    const figure = armsWithIntervals({
      id: "a",
      title: "t",
      valueTitle: "v (share)",
      series: [{ name: "s", points: [{ row: "r", mean: 0.5, low: 0.2, high: 0.6 }] }],
    });
    const bars = figure.data[0]?.error_x ?? assert.fail();
    assert.ok(Math.abs((bars.array[0] ?? 0) - 0.1) < 1e-12);
    assert.ok(Math.abs((bars.arrayminus[0] ?? 0) - 0.3) < 1e-12);
  });

  it("the dose axis is logarithmic and holds every dose", () => {
    const { xaxis } = FIGURES.dose?.layout ?? assert.fail();
    assert.equal(xaxis.type, "log");
    assert.deepEqual(xaxis.ticktext, ["20", "200", "1,000"]);
    const [low = 0, high = 0] = xaxis.range ?? [];
    assert.ok(low < Math.log10(20) && high > 3);
  });

  it("long curves are drawn as means of stretches, with their mean kept", () => {
    const points = Array.from({ length: 1000 }, (_, x) => ({ x, y: x % 7 }));
    const drawn = thin(points, 240);
    assert.equal(drawn.length, 240);
    assert.deepEqual(thin(points.slice(0, 100), 240), points.slice(0, 100));
    const mean = (values: readonly { y: number }[]): number =>
      values.reduce((sum, { y }) => sum + y, 0) / values.length;
    assert.ok(Math.abs(mean(drawn) - mean(points)) < 0.05);
    const legends = FIGURES.learning?.data.map(({ showlegend }) => showlegend);
    assert.deepEqual(legends, [true, false], "runs of an arm share one legend entry");
  });

  it("labels show what plotly would take for markup", () => {
    assert.ok(FIGURES.arms?.layout.yaxis.ticktext?.includes("IFT &lt;shuffled&gt; &amp; tagged"));
  });

  it("nothing to draw and numbers that are not finite are errors", () => {
    const text = { id: "x", title: "t" };
    const cases: [() => Figure, RegExp][] = [
      [() => pairedDifferences({ ...text, valueTitle: "v", rows: [] }), /nothing to draw/],
      [() => armsWithIntervals({ ...text, valueTitle: "v", series: [] }), /nothing to draw/],
      [
        () =>
          doseCurve({
            ...text,
            xTitle: "x",
            yTitle: "y",
            series: [{ name: "s", points: [{ x: 0, ...around(1) }] }],
          }),
        /NaN/,
      ],
      [
        () =>
          learningCurves({
            ...text,
            xTitle: "x",
            yTitle: "y",
            curves: [{ name: "s", points: [{ x: 1, y: Infinity }] }],
          }),
        /Infinity/,
      ],
      [
        () =>
          pairedDifferences({
            id: "Not an id",
            title: "t",
            valueTitle: "v",
            rows: [{ label: "l", ...around(0) }],
          }),
        /figure id/,
      ],
    ];
    for (const [build, message] of cases)
      assert.throws(build, (error) => error instanceof KitError && message.test(error.message));
  });
});

describe("colours", () => {
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string): number => {
    const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const page = { light: "#ffffff", dark: "#15181c" };

  it("lines and dots stand out on the light and on the dark page", () => {
    const lighter = new Map(LIGHTER_COLORS);
    for (const color of [NEUTRAL, ...SERIES_STYLES.map((style) => style.color)]) {
      assert.ok(contrast(lighter.get(color) ?? color, page.dark) >= 3, `${color} on dark`);
    }
    // Orange and sky blue, the last two of the palette, are light; dash and marker carry them on white.
    for (const color of [NEUTRAL, ...SERIES_STYLES.slice(0, 3).map((style) => style.color)]) {
      assert.ok(contrast(color, page.light) >= 3, `${color} on white`);
    }
    assert.ok(contrast(DARK_TEMPLATE.layout.font.color, page.dark) >= 7);
  });

  it("no two series look the same without colour", () => {
    const looks = Array.from({ length: 12 }, (_, index) => seriesStyle(index).symbol);
    assert.equal(new Set(looks).size, looks.length);
  });
});
