// How an integrator is drawn: the table that Python's figures use, as SVG.

import { draw, unique } from "./dom.js";

// Matplotlib's letters for markers, as paths about the origin of half a width of one.
const MARKERS = {
  o: "M1,0A1,1 0 1 1 -1,0A1,1 0 1 1 1,0Z",
  s: "M-.9,-.9H.9V.9H-.9Z",
  "^": "M0,-1.1L1,.8H-1Z",
  v: "M0,1.1L1,-.8H-1Z",
  "<": "M-1.1,0L.8,-1V1Z",
  ">": "M1.1,0L-.8,-1V1Z",
  D: "M0,-1.2L1.2,0L0,1.2L-1.2,0Z",
  d: "M0,-1.2L.8,0L0,1.2L-.8,0Z",
  P: "M-.4,-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
  X: "M-1,-.5L-.5,-1L0,-.5L.5,-1L1,-.5L.5,0L1,.5L.5,1L0,.5L-.5,1L-1,.5L-.5,0Z",
  "*": "M0,-1.3L.4,-.4L1.3,-.4L.6,.2L.8,1.1L0,.6L-.8,1.1L-.6,.2L-1.3,-.4L-.4,-.4Z",
  p: "M0,-1.1L1.05,-.35L.65,.9H-.65L-1.05,-.35Z",
};

/** Markers for lines: definitions for one drawing, and the attributes of a line in a style. */
export function lineStyles(styles, prefix) {
  const definitions = draw("defs");
  for (const [key, style] of Object.entries(styles)) {
    if (!MARKERS[style.marker]) continue;
    const shape = draw("path", { d: MARKERS[style.marker], fill: `var(--${key})` });
    definitions.append(
      draw("marker", { id: `${prefix}-${key}`, viewBox: "-2 -2 4 4", markerWidth: 12, markerHeight: 12, markerUnits: "userSpaceOnUse" }, shape),
    );
  }
  const line = (key, { width = 1.6, marked = true } = {}) => {
    const style = styles[key];
    const attributes = { class: "line", stroke: `var(--${key})`, "stroke-width": width };
    if (style.dash.length) attributes["stroke-dasharray"] = style.dash.map((d) => d * width).join(" ");
    if (marked && MARKERS[style.marker]) {
      for (const place of ["start", "mid", "end"]) attributes[`marker-${place}`] = `url(#${prefix}-${key})`;
    }
    return attributes;
  };
  return { definitions, line };
}

/** Dark or light, as the notebook's theme says, or else the system; colours of integrators are set to fit. */
export function followTheme(root, styles) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { jpThemeLight } = document.body.dataset;
    const inEditor = document.body.classList.contains("vscode-dark") || document.body.classList.contains("vscode-light");
    const dark = jpThemeLight
      ? jpThemeLight === "false"
      : inEditor
        ? document.body.classList.contains("vscode-dark")
        : system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    for (const [key, style] of Object.entries(styles)) root.style.setProperty(`--${key}`, dark ? style.dark : style.colour);
  };
  apply();
  system.addEventListener("change", apply);
  const watcher = new MutationObserver(apply);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  return () => {
    system.removeEventListener("change", apply);
    watcher.disconnect();
  };
}

/** The line and marker of an integrator, for a legend. */
export function sample(styles, key) {
  const prefix = unique("legend");
  const { definitions, line } = lineStyles({ [key]: styles[key] }, prefix);
  const path = draw("polyline", { points: "2,8 17,8 32,8", ...line(key), "marker-start": "none", "marker-end": "none" });
  return draw("svg", { width: 34, height: 16, "aria-hidden": "true" }, definitions, path);
}
