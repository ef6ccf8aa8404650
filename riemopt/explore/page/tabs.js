// The tabs below: formulas, numbers, Python, about.

import { make, math, unique } from "./dom.js";
import { csv, table } from "./run.js";
import { written } from "./scales.js";
import { copy } from "./topbar.js";

/** Tabs; `on.formulas()` asks for the geometry of the chosen chart when it is looked at. */
export function tabs(known, on) {
  const panels = {
    Formulas: make("div", { class: "formulas" }),
    Numbers: make("div", { class: "numbers" }),
    Python: make("div", { class: "python" }),
    About: about(known),
  };
  const prefix = unique("tab");
  let open = on.formulas ? "Formulas" : "Numbers";
  if (!on.formulas) delete panels.Formulas;
  let current = null;
  const buttons = Object.keys(panels).map((name) =>
    make("button", { type: "button", role: "tab", id: `${prefix}-${name}`, "aria-controls": `${prefix}-${name}-panel`, onclick: () => show(name), onkeydown: turn }, name),
  );
  for (const [name, panel] of Object.entries(panels)) {
    panel.id = `${prefix}-${name}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `${prefix}-${name}`);
    panel.tabIndex = 0;
  }

  function turn(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const i = buttons.findIndex((button) => button.textContent === open);
    const next = buttons[(i + step + buttons.length) % buttons.length];
    show(next.textContent);
    next.focus();
  }

  function show(name) {
    open = name;
    for (const button of buttons) {
      const chosen = button.textContent === name;
      button.setAttribute("aria-selected", chosen);
      button.tabIndex = chosen ? 0 : -1;
      panels[button.textContent].hidden = !chosen;
    }
    fill();
  }

  const fill = () => {
    if (!current || !element.open) return;
    if (open === "Numbers") numbers(panels.Numbers, current);
    if (open === "Python") python(panels.Python, current.run.python);
    if (open === "Formulas" && formulas.chart !== current.charts[current.chosen].label) {
      formulas.chart = current.charts[current.chosen].label;
      panels.Formulas.replaceChildren(make("p", { class: "quiet" }, "deriving …"));
      on.formulas(formulas.chart);
    }
  };
  const formulas = { chart: null };
  const element = make(
    "details",
    { class: "section tabs", ontoggle: () => fill() },
    make("summary", {}, make("h2", {}, on.formulas ? "Formulas, numbers, Python" : "Numbers, Python")),
    make("div", { role: "tablist", "aria-label": "more about this view" }, ...buttons),
    ...Object.values(panels),
  );
  show(open);
  return {
    element,
    update(view) {
      current = view;
      fill();
    },
    forget() {
      formulas.chart = null;
    },
    formulas({ parts }) {
      panels.Formulas.replaceChildren(
        ...parts.flatMap(({ title, equations }) => [make("h3", {}, title), ...(equations.length ? equations.map((e) => make("div", { class: "equation" }, math(e))) : ["vanishes"])]),
      );
    },
    refuse(reason) {
      panels.Formulas?.replaceChildren(make("p", { class: "error" }, reason));
    },
  };
}

function numbers(panel, { run, chosen }) {
  const rows = table(run);
  const label = run.charts[chosen].label;
  const shown = rows.slice(1).filter(([chart]) => chart === label);
  const head = make("tr", {}, ...rows[0].slice(1).map((name) => make("th", { scope: "col" }, name)));
  const body = shown.map(([, key, k, ...values]) => make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, k), ...values.map((x) => make("td", { title: x ?? "" }, written(x, 6)))));
  const copyTable = make("button", { type: "button", onclick: () => copy(rows.map((row) => row.map((x) => x ?? "nan").join("\t")).join("\n"), copyTable) }, "Copy table");
  const save = make("button", { type: "button", onclick: () => download("riemopt.csv", csv(rows)) }, "Save as CSV");
  panel.replaceChildren(
    make("p", {}, copyTable, " ", save, make("span", { class: "quiet" }, ` All charts, all digits. Shown: ${label}.`)),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "numbers" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))),
  );
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function python(panel, text) {
  const button = make("button", { type: "button", onclick: () => copy(text, button) }, "Copy");
  panel.replaceChildren(make("p", {}, button, make("span", { class: "quiet" }, " These lines give the numbers of this view.")), make("pre", { tabindex: 0 }, text));
}

function about({ version }) {
  return make(
    "div",
    { class: "about" },
    make("p", {}, "A chart gives the distributions of a family coordinates. A method that is invariant goes through the same distributions in every chart. The natural gradient does not, because it goes straight ahead, and what is straight depends on the chart. Geodesic corrections bend the step so that charts agree to second order in h; the exact methods agree fully."),
    make("p", {}, "Distances are Fisher–Rao distances. With N observations, 1/√N is about one standard error of an estimate."),
    make("p", {}, `riemopt ${version}. The methods are those of Song, Song and Ermon, “Accelerating Natural Gradient with Higher-Order Invariance”, ICML 2018.`),
  );
}
