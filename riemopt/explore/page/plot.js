// The large plot: paths over contours of the loss, with the start to drag, ellipses, balls, and a step taken apart.

import { axes, canvas, cross, outline, points } from "./drawing.js";
import { draw, set, unique } from "./dom.js";
import { finite, scale, written } from "./scales.js";
import { lineStyles } from "./styles.js";

const FINE = 1.03;
const COARSE = 1.2;
const REACH = 22; // pixels about the start that take a finger
const PARTS = { straight: "straight step", geodesic: "geodesic", correction: "correction of geo" };
const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1] };

/** The plot in a frame. `on` has start(point, moving), hover(iterate or null); `view` says what is to be seen. */
export function plot(frame, known, on) {
  const sheet = canvas(frame, "paths over contours of the loss", () => redraw());
  const prefix = unique("plot");
  const { definitions, line } = lineStyles(known.styles, prefix);
  const clip = draw("rect");
  definitions.append(draw("clipPath", { id: `${prefix}-clip` }, clip));
  const layer = (name, clipped = true) => draw("g", { class: name, ...(clipped ? { "clip-path": `url(#${prefix}-clip)` } : {}) });
  const [shapes, pale, strong, ends, parts, marks] = ["shapes", "pale", "strong", "ends", "parts", "marks"].map((n) => layer(n));
  const contours = draw("path", { class: "contours", "clip-path": `url(#${prefix}-clip)` });
  const ellipses = draw("path", { class: "ellipses" });
  const balls = draw("path", { class: "balls" });
  shapes.append(ellipses, balls);
  const handle = startHandle();
  const drawAxes = axes(sheet.svg);
  sheet.svg.prepend(definitions);
  sheet.svg.append(contours, shapes, pale, strong, ends, parts, marks);

  let view = null; // what is seen: see show()
  let X, Y; // scales of the model's own coordinates
  let there = null; // scales of the chart that the picture bends to

  function scales() {
    const { window, scales: kinds, losses } = view;
    X = scale(kinds[0], window[0], sheet.across);
    Y = kinds.length > 1 ? scale(kinds[1], window[1], sheet.up) : scale("linear", losses, sheet.up);
    const bent = view.bent;
    there = bent && kinds.length > 1 ? [scale("linear", bent.window[0], sheet.across), scale("linear", bent.window[1], sheet.up)] : null;
    const [left, right] = sheet.across;
    const [bottom, top] = sheet.up;
    set(clip, { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });
  }

  /** Places of points that are known in both coordinates, so far between the two as the picture is bent. */
  function between(own, moved) {
    const t = view.bend;
    const mix = (values, others, A, B) => values.map((x, i) => (x === null || others[i] === null ? null : (1 - t) * A(x) + t * B(others[i])));
    return [mix(own[0], moved[0], X, there[0]), mix(own[1], moved[1], Y, there[1])];
  }

  const place = ([xs, ys]) => [xs.map((x) => (x === null ? null : X(x))), ys.map((y) => (y === null ? null : Y(y)))];
  const isBent = () => view.bend > 0 && there !== null;

  function redraw() {
    if (!view || !sheet.size.width) return;
    scales();
    drawBackground();
    drawRun();
    if (!handle.group.parentNode) sheet.svg.append(handle.group); // there is something to drag now
    drawParts();
  }

  function drawBackground() {
    const bent = isBent();
    const lines = view.lines ?? [];
    const outlined = bent ? outline(view.bent.lines, (l) => between(l.own, l.there)) : outline(lines, place);
    set(contours, { d: view.curve ? outline([view.curve], place) : outlined });
    set(ellipses, { d: view.shapes && !bent && view.ellipses ? outline(view.shapes.ellipses, place) : "" });
    set(balls, { d: view.shapes && !bent && view.balls ? outline(view.shapes.balls, place) : "" });
    const whole = view.bend >= 1 && bent;
    if (whole) drawAxes(sheet, ...there, { x: view.chart.axes[view.plane[0]], y: view.chart.axes[view.plane[1]] });
    else if (bent) drawAxes(sheet, Object.assign((x) => x, { ticks: () => [] }), Object.assign((y) => y, { ticks: () => [] }), {});
    else drawAxes(sheet, X, Y, { x: view.names[0], y: view.names[1] ?? "mean negative log-likelihood" });
  }

  function drawRun() {
    const { run, chosen, integrators } = view;
    const others = run.charts.map((_, i) => i).filter((i) => i !== chosen);
    const curved = view.bent && view.curves;
    refill(pale, isBent() ? 0 : others.length * integrators.length, (k) => {
      const key = integrators[k % integrators.length];
      return { ...line(key, { width: 1, marked: false }), points: points(...run.path(others[Math.floor(k / integrators.length)], key), X, Y) };
    });
    const paths = integrators.map((key) => run.path(chosen, key));
    refill(strong, integrators.length * 2, (k) => {
      const key = integrators[k % integrators.length];
      const onlyMarks = k >= integrators.length;
      const curve = curved ? view.bent.paths[key] : null;
      if (!curve) return { ...line(key, { width: onlyMarks ? 0 : 2 }), points: onlyMarks ? "" : points(...paths[k], X, Y) };
      const [xs, ys] = isBent() ? between(curve.own, curve.there) : place(curve.own);
      const each = onlyMarks ? view.bent.substeps : 1;
      let text = "";
      for (let i = 0; i < xs.length && xs[i] !== null && ys[i] !== null; i += each) text += `${xs[i].toFixed(1)},${ys[i].toFixed(1)} `;
      return { ...line(key, { width: onlyMarks ? 0 : 2, marked: onlyMarks }), points: text };
    });
    drawEnds(paths);
    drawMarks(paths);
    placeHandle();
  }

  /** Where an iterate of the chosen chart is drawn. */
  function spot(path, key, k) {
    const bent = isBent() && view.bent.paths[key];
    if (bent) {
      const i = k * view.bent.substeps;
      if (i >= bent.own[0].length || bent.own[0][i] === null) return null;
      const [xs, ys] = between(bent.own.map((v) => [v[i]]), bent.there.map((v) => [v[i]]));
      return [xs[0], ys[0]];
    }
    return path[0][k] === null || path[0][k] === undefined || path[1][k] === null ? null : [X(path[0][k]), Y(path[1][k])];
  }

  function drawEnds(paths) {
    const crosses = [];
    view.integrators.forEach((key, j) => {
      const end = Math.min(finite(paths[j][0]), finite(paths[j][1]));
      if (end === 0 || end >= paths[j][0].length) return;
      const at = spot(paths[j], key, end - 1);
      const reason = view.run.reason(view.chosen, key);
      if (at) crosses.push(cross(...at, key, `${key} ended after iteration ${end - 1}: ${reason ?? "a number is not finite"}`));
    });
    ends.replaceChildren(...crosses);
  }

  function drawMarks(paths) {
    const rings = view.integrators.map((key, j) => {
      const at = spot(paths[j], key, view.cursor);
      return at && draw("circle", { cx: at[0], cy: at[1], r: 6.5, class: "mark", stroke: `var(--${key})` });
    });
    marks.replaceChildren(...rings.filter(Boolean));
  }

  function drawParts() {
    const found = view.anatomy && !isBent() ? view.anatomy.parts : {};
    const [left] = sheet.across;
    const [, top] = sheet.up;
    parts.replaceChildren(
      ...Object.entries(found).flatMap(([name, curve], i) => {
        const y = top + 26 + 15 * i;
        const legend = [draw("path", { class: `part ${name}`, d: `M${left + 10},${y}h26` }), draw("text", { x: left + 42, y: y + 3.5 }, PARTS[name])];
        return [draw("path", { class: `part ${name}`, d: outline([curve], place) }), ...legend];
      }),
    );
  }

  // -- the start

  function startHandle() {
    const group = draw(
      "g",
      { class: "start", role: "slider", tabindex: 0, "aria-label": "start", "aria-orientation": "horizontal" },
      draw("circle", { r: REACH, class: "reach" }),
      draw("circle", { r: 8, class: "knob" }),
      draw("circle", { r: 2.5, class: "pip" }),
    );
    let held = null;
    const at = (event) => {
      const box = sheet.svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    group.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [x, y] = at(event);
      const [cx, cy] = position();
      held = [cx - x, cy - y];
      group.setPointerCapture(event.pointerId);
      group.classList.add("held");
      event.preventDefault();
      group.focus({ preventScroll: true });
      on.grab?.();
    });
    group.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // or the page would scroll
    group.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [x, y] = at(event);
      move([x + held[0], y + held[1]], true);
    });
    const release = () => {
      if (!held) return;
      held = null;
      group.classList.remove("held");
      on.start(view.start, false);
    };
    group.addEventListener("pointerup", release);
    group.addEventListener("pointercancel", release);
    group.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      step(...arrow, event.shiftKey ? COARSE : FINE);
    });
    return { group };
  }

  function position() {
    const { start, plane } = view;
    if (isBent()) {
      const first = Object.values(view.bent.paths)[0];
      const [xs, ys] = between(first.own.map((v) => [v[0]]), first.there.map((v) => [v[0]]));
      return [xs[0], ys[0]];
    }
    return [X(start[plane[0]]), plane.length > 1 ? Y(start[plane[1]]) : Y(view.run.losses(view.chosen, view.integrators[0])[0] ?? view.losses[1])];
  }

  function move([x, y], moving) {
    const [left, right] = sheet.across;
    const [bottom, top] = sheet.up;
    const start = [...view.start];
    start[view.plane[0]] = X.invert(Math.min(right, Math.max(left, x)));
    if (view.plane.length > 1) start[view.plane[1]] = Y.invert(Math.min(bottom, Math.max(top, y)));
    go(start, moving);
  }

  function step(axis, sign, factor) {
    const coordinate = view.plane[Math.min(axis, view.plane.length - 1)];
    const start = [...view.start];
    if (view.kinds[coordinate] === "log") start[coordinate] *= factor ** sign;
    else {
      const drawn = view.plane.indexOf(coordinate);
      start[coordinate] += sign * (factor - 1) * (view.window[drawn][1] - view.window[drawn][0]);
    }
    go(start, false);
  }

  function go(start, moving) {
    view.start = view.within(start);
    placeHandle();
    on.start(view.start, moving);
  }

  function placeHandle() {
    const [x, y] = position();
    set(handle.group, {
      transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`,
      "aria-valuetext": view.start.map((value, i) => `${view.labels[i]} ${written(value, 4)}`).join(", "),
      "aria-valuenow": view.start[view.plane[0]],
      "aria-valuemin": view.window[0][0],
      "aria-valuemax": view.window[0][1],
    });
  }

  // -- the iterate under the pointer

  let hovered = "";
  sheet.svg.addEventListener("pointermove", (event) => {
    if (!view?.run || !on.hover || handle.group.classList.contains("held") || isBent()) return;
    const box = sheet.svg.getBoundingClientRect();
    const near = nearest(event.clientX - box.left, event.clientY - box.top);
    const name = near ? `${near.key} ${near.k}` : "";
    if (name !== hovered) on.hover(near);
    hovered = name;
  });

  function nearest(x, y) {
    let best = null;
    let least = 14 ** 2;
    for (const key of view.integrators) {
      const path = view.run.path(view.chosen, key);
      for (let k = 0; k < path[0].length; k++) {
        const at = spot(path, key, k);
        if (!at) break;
        const distance = (at[0] - x) ** 2 + (at[1] - y) ** 2;
        if (distance < least) [least, best] = [distance, { key, k }];
      }
    }
    return best;
  }

  return {
    /** Show a view: everything, or after a run the run alone. */
    show(next, only = "all") {
      view = next;
      if (!sheet.size.width) return;
      if (only === "run") drawRun();
      else if (only === "marks") drawMarks(view.integrators.map((key) => view.run.path(view.chosen, key)));
      else if (only === "parts") drawParts();
      else redraw();
    },
    focus: () => handle.group.focus(),
    close: sheet.close,
  };
}

/** As many polylines in a group as wanted, with attributes by number. */
export function refill(group, count, attributes) {
  while (group.childElementCount > count) group.lastChild.remove();
  while (group.childElementCount < count) group.append(draw("polyline"));
  for (let k = 0; k < count; k++) {
    const line = group.children[k];
    const wanted = attributes(k);
    for (const [name, value] of Object.entries(wanted)) {
      if (line[name + "$"] !== value) {
        line.setAttribute(name, value);
        line[name + "$"] = value;
      }
    }
    for (const name of ["stroke-dasharray", "marker-start", "marker-mid", "marker-end"]) {
      if (!(name in wanted) && line[name + "$"] !== undefined) {
        line.removeAttribute(name);
        delete line[name + "$"];
      }
    }
  }
}
