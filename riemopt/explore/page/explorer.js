// The explorer: what a page or a notebook shows of an invariance study, written to the anywidget contract.
//
// The model that a host provides has get, set, save_changes, on, off and send. Settings are kept in it by the names of
// SETTINGS; requests and answers are messages, see requests.py. Nothing is kept outside an instance.

import { chartEditor, chips, integratorList, section, startFields, stepControls } from "./controls.js";
import { afterPause, make, math } from "./dom.js";
import { link } from "./link.js";
import { gapPanel, lossPanel, multiples } from "./panels.js";
import { plot } from "./plot.js";
import { endingsOf, ghostOf, lossRange, runOf, verdict } from "./run.js";
import { copied, same } from "./settings.js";
import { followTheme } from "./styles.js";
import { tabs } from "./tabs.js";
import { copy, topBar } from "./topbar.js";

const SETTINGS = ["family", "data", "charts", "start", "integrators", "step_size", "steps", "view", "plane"];
const OPENED_BY = ["family", "data", "charts"]; // what a new study is opened for
const NARROW = 700; // pixels under which the page is one column, and folded

/** Show an explorer in an element; returns what takes it away again. */
export function render({ model, el }) {
  const known = model.get("hello");
  const recorded = known.kind === "file";
  const settings = Object.fromEntries(SETTINGS.map((name) => [name, copied(model.get(name) ?? known.opening[name] ?? null)]));
  const state = { cursor: settings.steps, bend: 0, ellipses: false, balls: false, apart: true, dragging: false, preset: null };
  let study = null; // the answer to the last opening
  let opening = null; // what was asked to be opened last
  let openedWith = null; // the settings that it answers

  // -- requests and answers

  const requests = link(model, {
    opened,
    ran,
    progress: ({ what, done }) => note(`Preparing: ${what}${done ? ` (${Math.round(done * 100)} %)` : " …"}`, true),
    landscape: (answer) => {
      state.landscape = answer;
      show();
      settle();
    },
    bent: (answer) => {
      state.bent = { ...answer, substeps: known.substeps };
      show();
    },
    shapes: (answer) => {
      state.shapes = answer;
      show();
    },
    anatomy: (answer) => {
      state.anatomy = answer;
      show("parts");
    },
    checked: ({ echoes }) => editor.echo(echoes),
    formulas: (answer) => more.formulas(answer),
    refused,
  });

  const runRequest = () => ({
    type: "run",
    start: settings.start,
    integrators: settings.integrators,
    step_size: settings.step_size,
    steps: settings.steps,
  });

  function open() {
    note("Preparing …", true);
    const { family, charts, data, start, integrators, step_size, steps } = settings;
    opening = copied({ family, charts, data, start, integrators, step_size, steps });
    requests.send({ type: "open", ...opening });
  }

  function run(given = {}) {
    if (settings.start?.length !== study?.coordinates.length) return; // another family is on its way
    requests.run(runRequest(), { asked: performance.now(), ...given });
  }

  function opened(answer) {
    const before = study;
    study = answer;
    note("");
    requests.reset();
    const movedOn = before?.family === answer.family && settings.start !== null && !same(settings.start, opening.start);
    if (!movedOn) settings.start = answer.ran.start;
    const dimension = answer.coordinates.length;
    if (settings.plane?.length !== Math.min(2, dimension) || Math.max(...settings.plane) >= dimension) settings.plane = answer.plane;
    const labels = answer.charts.map(({ label }) => label);
    if (!labels.includes(settings.view)) settings.view = labels[1] ?? labels[0];
    // what was left open is no change of anybody's
    for (const name of ["start", "plane", "view"]) if (model.get(name) === null) model.set(name, copied(settings[name]));
    openedWith = copied(settings);
    Object.assign(state, { landscape: answer.landscape, bent: null, shapes: null, anatomy: null, ghost: null, earlier: null });
    state.run = runOf(answer.ran, study, settings.plane);
    state.losses = lossRange(state.run);
    if (!before || !same(before.coordinates, answer.coordinates) || !same(editor.texts(), settings.charts)) {
      editor.fill(settings.charts, answer);
    }
    editor.refuse(answer.refused);
    start.build(answer.coordinates, settings.plane);
    more.forget();
    el.classList.toggle("one-coordinate", dimension === 1);
    fillControls();
    small.show(view(), "charts");
    if (!same(settings.plane, answer.plane)) lookAgain();
    show();
    if (movedOn) run();
    else settle();
  }

  function ran(answer, asked) {
    const next = runOf(answer, study, settings.plane);
    if (state.run && state.run.step_size !== next.step_size) state.earlier = state.run;
    state.run = next;
    state.ghost = ghostOf(state.earlier, next);
    state.cursor = Math.min(state.cursor, next.steps);
    state.bent = state.shapes = null;
    note("");
    show("run");
    told(asked);
    if (!state.dragging) settle();
  }

  /** How long an answer to a drag took: to data, and to what is seen of it. */
  function told({ asked, moving }) {
    if (!moving) return;
    const data = performance.now() - asked;
    requestAnimationFrame(() => requestAnimationFrame(() => model.latency?.push([data, performance.now() - asked])));
  }

  function refused({ of, reason }) {
    if (of === "open" && study) {
      Object.assign(settings, copied(openedWith));
      fillControls();
    }
    if (of === "formulas") more.refuse(reason);
    else if (of !== "anatomy" && of !== "check") note(reason, false);
  }

  /** Once a run stands: its curves, what else is switched on, and the settings for the host to keep. */
  const settle = afterPause(90, () => {
    if (!study || state.dragging || requests.busy) return;
    const { plane } = settings;
    if (outside()) return lookAgain();
    state.losses = lossRange(state.run);
    const { window } = state.landscape;
    if (plane.length > 1) requests.send({ ...runRequest(), type: "bend", chart: settings.view, plane, window });
    if (plane.length > 1 && (state.ellipses || state.balls)) requests.send({ type: "shapes", start: settings.start, plane, window, chart: settings.view });
    show();
    keep();
  });

  /** Whether the start or an end of the chosen chart's paths has left the window, which is looked at once a run. */
  function outside() {
    if (state.fitted === state.run) return false;
    return settings.plane.some((axis, i) => {
      const [low, high] = state.landscape.window[i];
      const ends = state.run.integrators.map((key) => state.run.coordinates(chosen(), key)[axis].at(-1));
      return [settings.start[axis], ...ends].some((x) => x !== null && (x < low || x > high));
    });
  }

  function lookAgain() {
    state.fitted = state.run;
    requests.send({ type: "landscape", start: settings.start, plane: settings.plane, window: null });
  }

  /** Hand the settings over to the host. */
  function keep() {
    const changed = SETTINGS.filter((name) => model.get(name) !== undefined && !same(model.get(name), settings[name]));
    if (!changed.length) return;
    for (const name of changed) model.set(name, copied(settings[name]));
    model.save_changes();
  }

  /** Take settings over that the host has changed. */
  const adopt = afterPause(0, () => {
    const changed = SETTINGS.filter((name) => model.get(name) !== undefined && !same(model.get(name), settings[name]));
    if (!changed.length) return;
    for (const name of changed) settings[name] = copied(model.get(name));
    if (changed.some((name) => OPENED_BY.includes(name))) open();
    else if (changed.includes("plane")) change({ plane: settings.plane });
    else if (changed.every((name) => name === "view")) choose(settings.view);
    else run();
    if (study) fillControls();
  });

  // -- what the controls do

  const change = (some) => {
    Object.assign(settings, some);
    state.preset = null;
    if (OPENED_BY.some((name) => name in some)) watch.textContent = "";
    if (some.plane) {
      state.run = runOf(state.run.answer, study, settings.plane);
      Object.assign(state, { bent: null, shapes: null });
      lookAgain();
    } else if (OPENED_BY.some((name) => name in some)) open();
    else run();
    fillControls();
  };

  const choose = (label) => {
    settings.view = label;
    Object.assign(state, { bent: null, shapes: null, anatomy: null });
    fillControls();
    show();
    settle();
  };

  const bar = topBar(known, {
    family: (family) => {
      const { charts } = known.families.find(({ key }) => key === family);
      change({ family, charts, start: null, view: null, plane: null, data: { ...known.opening.data } });
    },
    data: (data) => change({ data }),
    preset: (preset) => {
      change(copied(Object.fromEntries(SETTINGS.filter((name) => name in preset).map((name) => [name, preset[name]]))));
      state.cursor = settings.steps;
      state.preset = preset;
      watch.textContent = preset.watch;
      fillControls();
    },
    copyLink: model.address ? (event) => copy(model.address(), event.target) : null,
    copyPython: (event) => copy(state.run?.python ?? "", event.target),
  });
  const editor = chartEditor({
    most: known.bounds.charts,
    check: (formulas) => requests.send({ type: "check", formulas }),
    change: (charts) => !same(charts, settings.charts) && change({ charts }),
  });
  const integrators = integratorList(known, (keys) => change({ integrators: keys }));
  const stepping = stepControls(known, {
    step_size: (step_size, moving) => {
      Object.assign(settings, { step_size });
      run({ moving });
      stepping.fill(settings);
    },
    steps: (steps) => {
      state.cursor = steps;
      change({ steps });
    },
    scale: (factor) => {
      const steps = Math.round(settings.steps / factor);
      if (steps < 1 || steps > known.bounds.steps) return note(`there may be 1 to ${known.bounds.steps} steps`, false);
      state.cursor = steps;
      return change({ step_size: Number((settings.step_size * factor).toPrecision(12)), steps });
    },
  });
  const start = startFields({ start: (point) => change({ start: within(point) }), plane: (plane) => change({ plane }) });
  const charts = chips(choose);
  const more = tabs(known, { formulas: recorded ? null : (chart) => requests.send({ type: "formulas", chart }) });

  function fillControls() {
    if (!study) return;
    bar.fill(settings, study, state.preset);
    integrators.fill(settings.integrators);
    stepping.fill(settings);
    start.fill(settings.start);
    charts.fill(study.charts, chosen());
    cursor.max = settings.steps;
    cursor.value = state.cursor;
  }

  // -- the switches under the plot

  const cursor = make("input", { type: "range", min: 0, max: settings.steps, value: state.cursor, step: 1, "aria-label": "iteration" });
  const iteration = make("output", {});
  cursor.addEventListener("input", () => {
    state.cursor = Number(cursor.value);
    show("marks");
  });
  const bend = make("input", { type: "range", min: 0, max: 1, value: 0, step: 0.01, "aria-label": "bend the picture to the chosen chart" });
  bend.addEventListener("input", () => {
    state.bend = Number(bend.value);
    show();
  });
  const bendTo = make("span", {});
  const toggle = (name, label, after) =>
    make("label", {}, make("input", { type: "checkbox", checked: state[name], onchange: (event) => ((state[name] = event.target.checked), after()) }), ` ${label}`);
  const switches = make(
    "div",
    { class: "switches" },
    make("label", { class: "bend" }, "bend ", bend, " to ", bendTo),
    recorded ? null : toggle("ellipses", "metric ellipses", settle),
    recorded ? null : toggle("balls", "geodesic balls", settle),
    recorded ? null : toggle("apart", "step under the pointer", () => ((state.anatomy = null), show("parts"))),
  );
  const straighten = () => {
    if (!state.bend) return;
    state.bend = bend.value = 0;
    show();
  };

  // -- the page

  const said = make("p", { class: "verdict", "aria-live": "polite" }, "…");
  const notes = make("p", { class: "note", role: "status", hidden: true });
  const atFirst = OPENED_BY.every((name) => same(settings[name], known.opening[name] ?? null));
  const watch = make("p", { class: "watch" }, (atFirst && known.opening.watch) || "");
  const endings = make("p", { class: "endings quiet" });
  const ghostText = make("p", { class: "ghost-text", "aria-live": "polite" });
  const frames = Object.fromEntries(["plot", "losses", "gap", "multiples"].map((name) => [name, make("div", { class: `frame ${name}` })]));
  const grid = make(
    "div",
    { class: "grid" },
    make("header", { class: "head" }, bar.element, make("p", { class: "lead" }, recorded ? "Move the iteration, choose a chart, and bend the picture to it." : known.lead), watch, said, notes),
    make(
      "div",
      { class: "left" },
      section("chart-fields", "Charts", true, editor.element),
      section("methods", "Integrators", true, integrators.element),
      section("step", "Step", true, stepping.element),
      section("start-section", "Start", true, start.element),
    ),
    make("div", { class: "centre" }, frames.plot, charts.element, switches),
    make(
      "div",
      { class: "right" },
      make("div", { class: "cursor-row" }, make("label", {}, "iteration ", cursor), iteration),
      make("div", { class: "panel gap-panel" }, make("h3", {}, "Invariance gap: the largest distance between charts"), frames.gap, ghostText),
      make("div", { class: "panel loss-panel" }, make("h3", {}, "Mean negative log-likelihood"), frames.losses, endings),
    ),
    section("small", "The same in every chart", true, frames.multiples),
    more.element,
  );
  el.classList.add("riemopt-explorer");
  el.dataset.lmSuppressShortcuts = "true"; // keys are for the page, not for JupyterLab
  el.classList.toggle("recorded", recorded);
  el.replaceChildren(grid);
  const unfollow = followTheme(el, known.styles);
  const drawings = [
    plot(frames.plot, known, {
      start: (point, moving) => {
        state.dragging = moving;
        settings.start = point;
        state.anatomy = null;
        start.fill(point);
        run({ moving });
      },
      grab: straighten,
      hover: recorded ? null : (near) => (near ? takeApart(near) : state.anatomy && ((state.anatomy = null), show("parts"))),
    }),
    lossPanel(frames.losses, known),
    gapPanel(frames.gap, known),
  ];
  const small = multiples(frames.multiples, known, choose);

  function takeApart({ key, k }) {
    if (!state.apart || settings.plane.length < 2) return;
    const point = study.coordinates.map((_, i) => state.run.coordinates(chosen(), key)[i][k]);
    requests.send({ type: "anatomy", chart: settings.view, point, step_size: settings.step_size, plane: settings.plane });
  }

  // -- what is seen

  const chosen = () => Math.max(0, study.charts.findIndex(({ label }) => label === settings.view));

  /** A point moved to inside the bounds of the domain. */
  const within = (point) =>
    point.map((x, i) => {
      const { low, high } = study.coordinates[i];
      const scale = Math.max(1e-9, 1e-6 * Math.abs(x));
      return Math.min(high === null ? Infinity : high - scale, Math.max(low === null ? -Infinity : low + scale, x));
    });

  function view() {
    const { landscape, run } = state;
    const { plane } = settings;
    return {
      ...state,
      plane,
      start: settings.start,
      charts: study.charts,
      chosen: chosen(),
      chart: study.charts[chosen()],
      integrators: run.integrators,
      window: landscape.window,
      lines: landscape.lines,
      curve: landscape.curve,
      curves: state.bent !== null && state.bent.chart === settings.view,
      scales: plane.map((axis) => study.coordinates[axis].scale),
      kinds: study.coordinates.map(({ scale }) => scale),
      names: plane.map((axis) => study.coordinates[axis].mathml),
      labels: study.coordinates.map(({ name }) => name),
      within,
    };
  }

  function show(only = "all") {
    if (!state.run || !state.landscape || settings.start?.length !== study.coordinates.length || !settings.plane) return;
    const seen = view();
    drawings.forEach((drawing, i) => (only !== "parts" || i === 0) && drawing.show(seen, only));
    if (only !== "parts") small.show(seen, only);
    iteration.textContent = String(Math.min(state.cursor, state.run.steps));
    if (only === "marks" || only === "parts") return;
    bendTo.replaceChildren(math(seen.chart.mathml));
    ghostText.textContent = state.ghost?.text ?? "";
    endings.textContent = endingsOf(state.run, seen.chosen);
    if (!state.dragging) {
      said.textContent = verdict(state.run);
      more.update(seen);
    } else sayLater();
  }

  const sayLater = afterPause(200, () => (said.textContent = verdict(state.run)));

  function note(text, working) {
    notes.replaceChildren(text);
    notes.hidden = !text;
    notes.classList.toggle("working", Boolean(working));
    if (working && study) notes.append(" ", make("button", { type: "button", onclick: giveUp }, "Cancel"));
  }

  function giveUp() {
    requests.send({ type: "cancel" });
    note("");
  }

  // -- files that are dropped, the width, the end

  const drop = (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    el.classList.remove("dropping");
    if (file) bar.takeFile(file);
  };
  const over = (event) => {
    event.preventDefault();
    el.classList.add("dropping");
  };
  if (known.families.length) {
    el.addEventListener("dragover", over);
    el.addEventListener("dragleave", () => el.classList.remove("dropping"));
    el.addEventListener("drop", drop);
  }
  let narrow = null;
  const width = new ResizeObserver(() => {
    const now = el.clientWidth < NARROW;
    if (now === narrow || !el.clientWidth) return;
    narrow = now;
    el.classList.toggle("narrow", now);
    for (const part of el.querySelectorAll("details.section:not(.step)")) part.open = !now && !part.classList.contains("tabs");
  });
  width.observe(el);
  for (const name of SETTINGS) model.on(`change:${name}`, adopt);
  model.on("lost", () => {
    requests.reset();
    note("The connection to riemopt explore is lost. Start it again with the same port: this page comes back by itself.", false);
  });
  model.on("found", open);
  open();

  return () => {
    for (const name of SETTINGS) model.off(`change:${name}`, adopt);
    requests.close();
    unfollow();
    width.disconnect();
    [...drawings, small].forEach((drawing) => drawing.close());
    el.replaceChildren();
  };
}

export default { render };
export { fromAddress, toAddress } from "./settings.js";
