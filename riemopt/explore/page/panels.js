// The panels beside and below the plot: losses, the gap with its ghost, and small multiples of the paths.

import { axes, canvas, cross, outline, points } from "./drawing.js";
import { draw, make, math, set, unique } from "./dom.js";
import { refill } from "./plot.js";
import { finite, scale } from "./scales.js";
import { lineStyles } from "./styles.js";

const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const SIDES = { left: 46, right: 12, top: 8, bottom: 20 };

/** Losses against the iteration: the chosen chart strong, the others pale. */
export function lossPanel(frame, known) {
  const panel = curves(frame, known, "losses against the iteration");
  return {
    show(view, only) {
      const { run, chosen, integrators } = view;
      panel.show(view, only, {
        range: view.losses,
        kind: "linear",
        lines: [
          ...run.charts.flatMap((_, c) => (c === chosen ? [] : integrators.map((key) => ({ key, values: run.losses(c, key), pale: true })))),
          ...integrators.map((key) => ({ key, values: run.losses(chosen, key) })),
        ],
      });
    },
    close: panel.close,
  };
}

/** The gap between the charts, logarithmic, over a line at one standard error; an earlier gap stays as a ghost. */
export function gapPanel(frame, known) {
  const panel = curves(frame, known, "invariance gap against the iteration");
  return {
    show(view, only) {
      const { run, integrators, ghost } = view;
      const gaps = integrators.map((key) => run.gap(key));
      const seen = [...gaps, ...(ghost ? Object.values(ghost.gap) : [])].flat().filter((x) => x > 0);
      const error = 1 / Math.sqrt(run.count);
      const low = Math.max(1e-15, Math.min(error / 2, ...seen));
      const high = Math.max(error * 2, ...seen);
      const positive = (values) => ({ values: values.slice(1).map((x) => (x === null ? null : Math.max(x, low))), from: 1 });
      const ghosts = ghost
        ? integrators.filter((key) => key in ghost.gap).map((key) => ({ key, ...positive(ghost.gap[key]), stretch: ghost.stretch, ghost: true }))
        : [];
      panel.show(view, only, {
        range: [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))],
        kind: "log",
        lines: [...ghosts, ...integrators.map((key, j) => ({ key, ...positive(gaps[j]) }))],
        rule: { at: error, text: "one standard error" },
      });
    },
    close: panel.close,
  };
}

/** A panel of curves over the iteration. */
function curves(frame, known, label) {
  let last = null;
  const sheet = canvas(frame, label, () => last && show(last.view, "all", last.content), SIDES);
  const prefix = unique("curves");
  const { definitions, line } = lineStyles(known.styles, prefix);
  const clip = draw("rect");
  definitions.append(draw("clipPath", { id: `${prefix}-clip` }, clip));
  const drawAxes = axes(sheet.svg);
  const rule = draw("g", { class: "rule" });
  const lines = draw("g", { "clip-path": `url(#${prefix}-clip)` });
  const ends = draw("g");
  const cursor = draw("line", { class: "cursor" });
  sheet.svg.prepend(definitions);
  sheet.svg.append(lines, ends, cursor, rule);
  let drawn = "";

  function show(view, only, content) {
    last = { view, content };
    if (!sheet.size.width) return;
    const X = scale("linear", [0, view.run.steps], sheet.across);
    const Y = scale(content.kind, content.range, sheet.up);
    const [bottom, top] = sheet.up;
    const frameKey = JSON.stringify([sheet.size, view.run.steps, content.range, content.rule]);
    if (frameKey !== drawn) {
      drawn = frameKey;
      set(clip, { x: sheet.across[0], y: top, width: Math.max(0, sheet.across[1] - sheet.across[0] + 6), height: Math.max(0, bottom - top) });
      drawAxes(sheet, X, Y, { ticks: [6, 5] });
      drawRule(content.rule, Y);
    }
    const at = Math.min(view.cursor, view.run.steps);
    set(cursor, { x1: X(at), x2: X(at), y1: bottom, y2: top });
    if (only === "marks") return;
    const crosses = [];
    refill(lines, content.lines.length, (k) => {
      const { key, values, from = 0, stretch = 1, pale, ghost } = content.lines[k];
      const xs = upTo(values.length).map((i) => (i + from) * stretch);
      const end = finite(values);
      if (!pale && !ghost && end && end < values.length) crosses.push(cross(X(xs[end - 1]), Y(values[end - 1]), key, `${key} ended`));
      const weight = pale ? { width: 1, marked: false } : ghost ? { width: 1.2, marked: false } : { width: 1.6 };
      return { ...line(key, weight), class: pale ? "line pale" : ghost ? "line ghost" : "line", points: points(xs, values, X, Y) };
    });
    ends.replaceChildren(...crosses);
  }

  function drawRule(wanted, Y) {
    rule.replaceChildren();
    if (!wanted) return;
    const [left, right] = sheet.across;
    const y = Y(wanted.at);
    rule.append(draw("line", { x1: left, x2: right, y1: y, y2: y }), draw("text", { x: left + 4, y: y + 13 }, wanted.text));
  }

  return { show, close: sheet.close };
}

/** A small plot of the paths for each chart, all in the model's own coordinates; a click makes a chart the chosen one. */
export function multiples(frame, known, choose) {
  let panels = [];

  function rebuild(charts) {
    panels.forEach((panel) => panel.close());
    panels = charts.map((chart, i) => {
      const button = make("button", { type: "button", class: "multiple", "aria-label": `look at the chart ${chart.label}`, onclick: () => choose(chart.label) });
      button.append(make("span", { class: "title" }, math(chart.mathml)));
      const holder = make("span", { class: "holder" });
      button.append(holder);
      frame.append(button);
      return smallPlot(holder, button, i, known);
    });
  }

  return {
    show(view, only) {
      if (only === "charts") {
        frame.replaceChildren();
        rebuild(view.run.charts);
      }
      panels.forEach((panel) => panel.show(view, only));
    },
    close: () => panels.forEach((panel) => panel.close()),
  };
}

function smallPlot(holder, button, index, known) {
  let last = null;
  const sheet = canvas(holder, "paths", () => last && show(last, "all"), { left: 2, right: 2, top: 2, bottom: 2 });
  const prefix = unique("small");
  const { definitions, line } = lineStyles(known.styles, prefix);
  const contours = draw("path", { class: "contours" });
  const paths = draw("g");
  const marks = draw("g", { class: "marks" });
  const start = draw("circle", { r: 3.5, class: "knob" });
  sheet.svg.append(definitions, contours, paths, marks, start);

  function show(view, only) {
    last = view;
    button.setAttribute("aria-pressed", index === view.chosen);
    if (!sheet.size.width) return;
    const [kx, ky = "linear"] = view.scales;
    const X = scale(kx, view.window[0], sheet.across);
    const Y = scale(ky, view.window[1] ?? view.losses, sheet.up);
    const place = ([xs, ys]) => [xs.map((x) => (x === null ? null : X(x))), ys.map((y) => (y === null ? null : Y(y)))];
    if (only !== "run" && only !== "marks") set(contours, { d: outline(view.curve ? [view.curve] : (view.lines ?? []), place) });
    const all = view.integrators.map((key) => view.run.path(index, key));
    if (only !== "marks") {
      refill(paths, all.length, (k) => ({ ...line(view.integrators[k], { width: 1.4, marked: false }), points: points(...all[k], X, Y) }));
    }
    const dots = all.flatMap(([xs, ys], j) => {
      const [x, y] = [xs[view.cursor], ys[view.cursor]];
      return x === null || x === undefined || y === null ? [] : [draw("circle", { cx: X(x), cy: Y(y), r: 2.6, fill: `var(--${view.integrators[j]})` })];
    });
    marks.replaceChildren(...dots);
    const first = all[0];
    if (first) set(start, { cx: X(first[0][0]), cy: Y(first[1][0] ?? view.losses[1]) });
  }
  return { show, close: sheet.close };
}

