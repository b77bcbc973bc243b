import { Resvg } from "@resvg/resvg-js";
import { KitError, messageOf } from "../support/errors.js";
import type { Figure } from "./figure.js";
import { headlessPlotly } from "./plotly.js";
import { FONT_FILES, FONT_NAME } from "./text-size.js";

export interface PictureSize {
  /** Pixels at scale 1; 760 where the figure has no width of its own. */
  readonly width?: number;
  /** Pixels at scale 1; the figure's own height where it is not given. */
  readonly height?: number;
  /** Pixels of the picture for each of the figure's; 2 where it is not given. */
  readonly scale?: number;
}

const DEFAULT_WIDTH = 760;

/**
 * A figure as an SVG picture, drawn by plotly.js without a browser. Text stays text.
 * @throws KitError when plotly finds a field that it does not know, or cannot draw the figure
 */
export async function renderSvg(figure: Figure, size: PictureSize = {}): Promise<string> {
  const { plotly, document } = headlessPlotly();
  checkSchema(figure);
  const width = size.width ?? figure.layout.width ?? DEFAULT_WIDTH;
  const height = size.height ?? figure.layout.height;
  const element = document.createElement("div");
  document.body.append(element);
  try {
    const layout = { ...figure.layout, width, height };
    // plotly writes into what it is given.
    await plotly.newPlot(element, structuredClone(figure.data), structuredClone(layout), {
      staticPlot: true,
    });
    return await plotly.toImage(element, { format: "svg", width, height, imageDataOnly: true });
  } catch (error) {
    throw new KitError(
      `figure "${figure.id}" cannot be drawn (${messageOf(error)})`,
      "check its data and layout",
      {},
      {
        cause: error,
      },
    );
  } finally {
    plotly.purge(element);
    element.remove();
  }
}

/**
 * A figure as a PNG picture, the same on every machine: the font comes with the kit. Needs no browser and no display.
 * @returns the bytes of the file
 * @throws KitError when plotly finds a field that it does not know, or cannot draw the figure
 */
export async function renderPng(figure: Figure, size: PictureSize = {}): Promise<Uint8Array> {
  const svg = await renderSvg(figure, size);
  const picture = new Resvg(svg, {
    background: "#ffffff",
    fitTo: { mode: "zoom", value: size.scale ?? 2 },
    font: { fontFiles: [...FONT_FILES], loadSystemFonts: false, defaultFontFamily: FONT_NAME },
    textRendering: 1,
  });
  return picture.render().asPng();
}

/** @throws KitError for a field or value that is not in plotly's schema, where plotly would silently ignore it */
function checkSchema(figure: Figure): void {
  const problems = headlessPlotly().plotly.validate(
    structuredClone(figure.data),
    structuredClone(figure.layout),
  );
  const [first] = problems ?? [];
  if (first === undefined) return;
  throw new KitError(`figure "${figure.id}": ${first.msg}`, "correct the figure's data or layout");
}
