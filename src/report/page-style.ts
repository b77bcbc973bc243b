/** The style of the page: system fonts, one column, light and dark, paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --faint: #57606a; --page: #ffffff; --rule: #d9dee4; --soft: #f4f6f8; --accent: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --faint: #a8b0b9; --page: #15181c; --rule: #363c44; --soft: #1e2227; --accent: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 "Open Sans", system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0; max-width: 46rem; }
.summary { margin: 0; padding: .8rem 1rem .8rem 2rem; background: var(--soft); border-left: 4px solid var(--accent); }
.summary li { margin: .2rem 0; }
figure { margin: 1rem 0 .5rem; }
figcaption { margin-bottom: .25rem; }
figcaption strong { display: block; font-size: 1.05rem; }
figcaption span { display: block; color: var(--faint); font-size: .875rem; }
.plot { width: 100%; }
.still { display: none; max-width: 100%; background: #ffffff; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; min-width: 3.5rem; }
th { font-weight: 600; vertical-align: bottom; border-bottom-width: 2px; overflow-wrap: normal; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
.unit { font-weight: 400; color: var(--faint); }
.manifest { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: 1rem; }
.manifest summary { cursor: pointer; color: var(--faint); }
.manifest pre { overflow-x: auto; padding: 1rem; background: var(--soft); font: .8rem/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media print {
  :root { color-scheme: light; --ink: #000000; --faint: #444444; --page: #ffffff; --rule: #bbbbbb; --soft: #f4f6f8; --accent: #0072b2; }
  @page { margin: 16mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  figure, tr, .summary { break-inside: avoid; }
  h2, section > p { break-after: avoid; }
  .plot, figcaption, .manifest { display: none; }
  .still { display: block; }
}
`;

/** Where scripts are off the pictures stand for the live figures. */
export const NO_SCRIPT_STYLE =
  ".plot, figcaption { display: none; } .still { display: block; background: #ffffff; }";
