// The numbers of a run, by chart and integrator, and what follows from them in words.

import { written } from "./scales.js";

/** A run: the answer of Python with names for its tables. */
export function runOf(answer, study, plane) {
  const row = (key) => answer.integrators.indexOf(key);
  const oneCoordinate = study.coordinates.length === 1;
  const run = {
    answer,
    start: answer.start,
    steps: answer.steps,
    step_size: answer.step_size,
    integrators: answer.integrators,
    python: answer.python,
    charts: study.charts,
    count: study.count,
    coordinateNames: study.coordinates.map(({ name }) => name),
    losses: (chart, key) => answer.losses[chart][row(key)],
    gap: (key) => answer.gap[row(key)],
    coordinates: (chart, key) => answer.points[chart][row(key)],
    /** What is drawn of a path: two coordinates, or one and the loss. */
    path(chart, key) {
      const all = run.coordinates(chart, key);
      return oneCoordinate ? [all[0], run.losses(chart, key)] : [all[plane[0]], all[plane[1]]];
    },
    reason: (chart, key) => answer.ended.find((end) => end.chart === study.charts[chart].label && end.integrator === key)?.reason,
  };
  return run;
}

/** The range of losses worth drawing: from the lowest to twice as high above it as the start, if any gets there. */
export function lossRange(run) {
  const every = run.answer.losses.flat(2).filter((x) => x !== null);
  const low = Math.min(...every);
  const start = run.answer.losses[0][0][0] ?? Math.max(...every);
  const high = Math.max(start, ...every.filter((x) => x <= 2 * start - low));
  const margin = 0.06 * (high - low) || 0.5;
  return [low - margin, high + margin];
}

const NUMBER = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** What a run shows, in a sentence: how far the charts disagree under each method, in distance and standard errors. */
export function verdict(run) {
  const steps = run.steps;
  const charts = run.charts.length;
  if (charts < 2) return "There is one chart only: add another, and see whether the methods care.";
  const agree = [];
  const differ = [];
  const failed = [];
  const unknown = [];
  for (const key of run.integrators) {
    const gap = run.gap(key)[steps];
    if (gap === null) (run.answer.ended.some((end) => end.integrator === key) ? failed : unknown).push(key);
    else if (gap < 1e-6) agree.push(key);
    else differ.push([key, gap]);
  }
  differ.sort((a, b) => b[1] - a[1]);
  const errors = (gap) => {
    const n = gap * Math.sqrt(run.count);
    return `${written(gap, 2)} (${written(n, 2)} standard error${n.toPrecision(2) === "1.0" ? "" : "s"})`;
  };
  const parts = [];
  if (differ.length) {
    parts.push(`the ${NUMBER[charts] ?? charts} charts disagree by ${differ.map(([key, gap]) => `${errors(gap)} under ${key}`).join(", ")}`);
  }
  if (agree.length) parts.push(`${differ.length ? "not at all" : `the ${NUMBER[charts] ?? charts} charts do not disagree`} under ${listed(agree)}`);
  if (failed.length) parts.push(`${listed(failed)} did not arrive in every chart`);
  if (unknown.length) parts.push(`under ${listed(unknown)} no geodesic was found between two charts, they are so far apart`);
  return `After ${steps} step${steps === 1 ? "" : "s"} of h = ${written(run.step_size)}, ${parts.join("; ")}.`;
}

/** Where the paths of a chart ended that did not take all steps, and why. */
export function endingsOf(run, chart) {
  const ended = run.answer.ended.filter((end) => end.chart === run.charts[chart].label);
  return ended.map(({ integrator, after, reason }) => `✕ ${integrator} ended after iteration ${after}: ${reason}.`).join(" ");
}

function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** An earlier gap beside a run of another step size, and by how much each gap has shrunk at the same final time. */
export function ghostOf(before, run) {
  if (!before || before.step_size === run.step_size) return null;
  const stretch = before.step_size / run.step_size;
  const gap = Object.fromEntries(before.integrators.map((key) => [key, before.gap(key)]));
  const ratios = [];
  const time = Math.min(before.step_size * before.steps, run.step_size * run.steps);
  const [then, now] = [time / before.step_size, time / run.step_size].map((k) => (Math.abs(k - Math.round(k)) < 1e-6 ? Math.round(k) : null));
  if (then && now) {
    for (const key of run.integrators) {
      const [a, b] = [gap[key]?.[then], run.gap(key)[now]];
      if (a > 1e-7 && b > 1e-7) ratios.push(`${key} ${a >= b ? "÷" : "×"}${written(a >= b ? a / b : b / a, 2)}`);
    }
  }
  return { gap, stretch, text: ratios.length ? `h from ${written(before.step_size)} to ${written(run.step_size)}, at the same time: ${ratios.join(", ")}` : "" };
}

/** The numbers as rows, the first one their header. */
export function table(run) {
  const names = run.coordinateNames;
  const rows = [["chart", "integrator", "iteration", ...names, "loss", "gap"]];
  run.charts.forEach((chart, c) => {
    for (const key of run.integrators) {
      const all = run.coordinates(c, key);
      for (let k = 0; k <= run.steps; k++) {
        rows.push([chart.label, key, k, ...all.map((values) => values[k]), run.losses(c, key)[k], run.gap(key)[k]]);
      }
    }
  });
  return rows;
}

/** Rows as text of a CSV file. */
export function csv(rows) {
  const cell = (x) => (x === null ? "nan" : typeof x === "string" && /[",\n]/.test(x) ? `"${x.replaceAll('"', '""')}"` : String(x));
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}
