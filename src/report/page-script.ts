/**
 * Draws the figures of a page, and again when the colour scheme changes: the data stay, the template (text, rules,
 * ground) changes. Paper shows the pictures instead.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  /** The data with the colours that are too dim for a dark page made lighter. */
  function lighter(data) {
    let text = JSON.stringify(data);
    for (const [color, light] of report.lighter) text = text.replaceAll(color, light);
    return JSON.parse(text);
  }
  /** A legend of several lines gets room above the plot instead of taking the plot's. */
  function makeRoom(element, layout) {
    const legend = element.querySelector(".legend rect.bg");
    const extra = legend === null ? 0 : Number(legend.getAttribute("height")) - report.legendHeight;
    if (extra > 0) Plotly.relayout(element, { height: layout.height + extra, "margin.t": layout.margin.t + extra });
  }
  function draw() {
    const night = dark.matches;
    for (const figure of report.figures) {
      const element = document.getElementById("figure-" + figure.id);
      const layout = structuredClone(figure.layout);
      layout.template = night ? report.dark : report.light;
      layout.autosize = true;
      Plotly.react(element, night ? lighter(figure.data) : structuredClone(figure.data), layout, {
        responsive: true,
        displaylogo: false,
        displayModeBar: "hover",
        // plotly would offer to send the data to its maker's server.
        showSendToCloud: false,
        plotlyServerURL: "",
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
        toImageButtonOptions: { filename: figure.id, scale: 2 },
      }).then(() => makeRoom(element, layout));
    }
  }
  draw();
  dark.addEventListener("change", draw);
  let width = innerWidth;
  let waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 200);
  });
})();
`;
