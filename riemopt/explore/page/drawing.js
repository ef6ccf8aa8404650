// What all drawings share: a canvas as large as its frame, axes with ticks, lines through numbers, crosses at ends.

import { draw, math, set } from "./dom.js";
import { finite, written } from "./scales.js";

const MARGIN = { left: 46, right: 10, top: 10, bottom: 30 };

/** An SVG that fills a frame and redraws when the frame's size changes. */
export function canvas(frame, label, redraw, margin = MARGIN) {
  const svg = draw("svg", { class: "canvas", role: "group", "aria-label": label });
  frame.append(svg);
  const size = { width: 0, height: 0 };
  const observer = new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    if (width < 20 || height < 20 || (width === size.width && height === size.height)) return;
    Object.assign(size, { width, height });
    set(svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    redraw();
  });
  observer.observe(frame);
  return {
    svg,
    size,
    get across() {
      return [margin.left, size.width - margin.right];
    },
    get up() {
      return [size.height - margin.bottom, margin.top];
    },
    close: () => observer.disconnect(),
  };
}

/** Axes of a drawing: ticks with thin lines across, and names. */
export function axes(parent) {
  const group = draw("g", { class: "axes", "aria-hidden": "true" });
  parent.append(group);
  const name = (markup, attributes) => {
    const text = document.createElement("span");
    text.append(typeof markup === "string" && markup.startsWith("<math") ? math(markup) : markup);
    const box = draw("foreignObject", attributes);
    box.append(text);
    return box;
  };
  return (view, X, Y, { x = "", y = "", ticks = [6, 5], format = written } = {}) => {
    const [left, right] = view.across;
    const [bottom, top] = view.up;
    const children = [];
    for (const tick of X.ticks(ticks[0])) {
      const at = X(tick);
      if (at < left - 1 || at > right + 1) continue;
      children.push(draw("line", { x1: at, x2: at, y1: bottom, y2: top, class: "grid" }));
      children.push(draw("text", { x: at, y: bottom + 13, "text-anchor": "middle" }, format(tick)));
    }
    for (const tick of Y.ticks(ticks[1])) {
      const at = Y(tick);
      if (at > bottom + 1 || at < top - 1) continue;
      children.push(draw("line", { x1: left, x2: right, y1: at, y2: at, class: "grid" }));
      children.push(draw("text", { x: left - 5, y: at + 3.5, "text-anchor": "end" }, format(tick)));
    }
    children.push(draw("path", { d: `M${left},${top}V${bottom}H${right}`, class: "frame" }));
    if (x) children.push(name(x, { x: right - 130, y: bottom - 22, width: 124, height: 20, class: "name end" }));
    if (y) children.push(name(y, { x: left + 5, y: top + 1, width: 190, height: 20, class: "name" }));
    group.replaceChildren(...children);
  };
}

/** The points of a polyline; it ends before the first number that is missing. */
export function points(xs, ys, X, Y) {
  const end = Math.min(finite(xs), finite(ys));
  let text = "";
  for (let i = 0; i < end; i++) text += `${held(X(xs[i]))},${held(Y(ys[i]))} `;
  return text;
}

/** Lines as the data of one path. */
export function outline(lines, place) {
  let text = "";
  for (const line of lines) {
    const [xs, ys] = place(line);
    let pen = "M";
    for (let i = 0; i < xs.length; i++) {
      if (xs[i] === null || ys[i] === null || Number.isNaN(xs[i] + ys[i])) {
        pen = "M";
        continue;
      }
      text += `${pen}${held(xs[i])},${held(ys[i])}`;
      pen = "L";
    }
  }
  return text;
}

/** A place on the screen, in tenths of a pixel, and not so far out that browsers lose it. */
function held(place) {
  return Math.round(Math.max(-9e3, Math.min(9e3, place)) * 10) / 10;
}

/** A cross at a place. */
export function cross(x, y, key, title) {
  const s = 5;
  const path = draw("path", { d: `M${held(x) - s},${held(y) - s}l${2 * s},${2 * s}m0,${-2 * s}l${-2 * s},${2 * s}`, class: "cross", stroke: `var(--${key})` });
  if (title) path.append(draw("title", {}, title));
  return path;
}
