import type { AnyFigure } from "../report/figure.js";
import { renderPng } from "../report/png.js";
import { base64, show } from "./display.js";
import type { MimeBundle } from "./kernel-bridge.js";

/**
 * Shows a figure below the running cell, in two forms in one output: a picture, for code-hosting pages, untrusted
 * notebooks and converters, and the live plotly figure, which JupyterLab shows when the mouse enters the picture. There is no HTML form on purpose: it would carry
 * 5 MB of plotly.js, and readers would prefer it to the picture.
 * @throws KitError when plotly cannot draw the figure
 */
export async function showFigure(figure: AnyFigure): Promise<void> {
  show(await figureBundle(figure));
}

/**
 * The forms of a figure, as `showFigure` shows them.
 * @throws KitError when plotly cannot draw the figure
 */
export async function figureBundle(figure: AnyFigure): Promise<MimeBundle> {
  // JupyterLab shows the picture pixel by pixel.
  const png = await renderPng(figure, { scale: 1 });
  return {
    "application/vnd.plotly.v1+json": { data: figure.data, layout: figure.layout },
    "image/png": base64(png),
    "text/plain": `${figure.title}\n${figure.description}`,
  };
}
