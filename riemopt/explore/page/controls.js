// The controls: charts as they are typed, integrators, the step size on a logarithmic slider, steps, the start.

import { afterPause, make, math, unique } from "./dom.js";
import { fieldsOf, textOf } from "./settings.js";
import { written } from "./scales.js";
import { sample } from "./styles.js";

/** A part of the page that can be folded; its title is the summary. */
export function section(name, title, open, ...children) {
  return make("details", { class: `section ${name}`, open }, make("summary", {}, make("h2", {}, title)), make("div", { class: "body" }, ...children));
}

/** The charts: the model's own, and others with a field for each coordinate. */
export function chartEditor(on) {
  const list = make("div", { class: "charts" });
  const add = make("button", { type: "button", class: "add", onclick: () => append("").focus() }, "Add a chart");
  const element = make("div", {}, list, add);
  let coordinates = [];
  let cards = [];
  let touched = false; // by somebody, since it was filled in

  const texts = () => cards.map((card) => card.text()).filter(Boolean);
  const apply = afterPause(700, () => touched && on.change(texts()));
  const check = afterPause(150, () => cards.length && on.check(cards.flatMap((card) => card.formulas())));

  function append(text) {
    const card = chartCard(coordinates, text, {
      typed: () => {
        touched = true;
        check();
      },
      remove: (c) => {
        cards = cards.filter((other) => other !== c);
        c.element.remove();
        number();
        touched = true;
        apply();
        add.focus();
      },
    });
    cards.push(card);
    list.append(card.element);
    number();
    return card;
  }

  function number() {
    cards.forEach((card, i) => card.number(i + 2));
    add.disabled = cards.length >= on.most;
  }

  return {
    element,
    texts,
    /** Fill in charts as texts, of a model with these coordinates. */
    fill(wanted, description) {
      coordinates = description.coordinates;
      cards = [];
      touched = false;
      list.replaceChildren(ownChart(coordinates));
      for (const text of wanted) append(text);
      check();
    },
    /** Echoes of all formulas; where each is one, what was typed is asked for. */
    echo(echoes) {
      const fine = cards.map((card, i) => card.echo(echoes.slice(i * coordinates.length, (i + 1) * coordinates.length)));
      if (fine.every(Boolean)) apply();
    },
    /** Why charts could not be had, by text. */
    refuse(reasons) {
      for (const card of cards) card.complain(reasons[card.text()] ?? "");
    },
  };
}

function ownChart(coordinates) {
  const names = coordinates.flatMap(({ mathml }, i) => [i ? ", " : "", math(mathml)]);
  return make("p", { class: "own" }, make("span", { class: "quiet" }, "chart 1, the family's own: "), ...names);
}

function chartCard(coordinates, text, on) {
  const card = {};
  const fields = fieldsOf(text, coordinates.map(({ name }) => name));
  const fixed = text !== "" && textOf(fields) === ""; // a chart with a name of its own: there are no formulas to change
  const columns = coordinates.map(({ name, mathml }) => {
    const id = unique("formula");
    const input = make("input", {
      id,
      type: "text",
      value: fields[name] ?? name,
      maxlength: 300,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      "aria-describedby": `${id}-echo`,
      oninput: () => on.typed(),
    });
    const echo = make("span", { id: `${id}-echo`, class: "echo", "aria-live": "polite" });
    const label = make("label", { for: id, "aria-label": `${name} in this chart` }, math(mathml), " =");
    return { name, input, echo, element: make("div", { class: "column" }, label, input, echo) };
  });
  const complaint = make("p", { class: "error", role: "alert", hidden: true });
  const values = () => Object.fromEntries(columns.map((c) => [c.name, c.input.value]));
  const typed = textOf(values());
  const legend = make("span", {});
  const remove = make("button", { type: "button", class: "remove", onclick: () => on.remove(card) }, "×");
  return Object.assign(card, {
    element: make("fieldset", { class: "card" }, make("legend", {}, legend), remove, fixed ? text : make("div", { class: "columns" }, ...columns.map((c) => c.element)), complaint),
    number(i) {
      legend.textContent = `chart ${i}`;
      remove.setAttribute("aria-label", `remove chart ${i}`);
      columns.forEach((c) => c.input.setAttribute("aria-label", `${c.name} in chart ${i}`));
    },
    /** The chart as it was given, until something is typed. */
    text: () => (textOf(values()) === typed ? text : textOf(values())),
    formulas: () => columns.map((c) => c.input.value.trim() || c.name),
    focus: () => columns.at(-1).input.focus(),
    echo(echoes) {
      let fine = true;
      echoes.forEach(({ mathml, error }, i) => {
        const { input, echo } = columns[i];
        if (error) card.complain("");
        input.setAttribute("aria-invalid", Boolean(error));
        echo.classList.toggle("error", Boolean(error));
        echo.replaceChildren(error ?? (input.value.trim() === columns[i].name ? "" : math(mathml)));
        fine &&= !error;
      });
      return fine;
    },
    complain(text) {
      complaint.textContent = text;
      complaint.hidden = !text;
    },
  });
}

/** Integrators to switch on and off, as a legend. */
export function integratorList(known, on) {
  const list = make("ul", { class: "integrators" });
  const boxes = new Map();
  const first = known.opening.integrators;
  const rest = known.integrators.filter((key) => !first.includes(key));
  const more = make("ul", { class: "integrators" });
  const entry = (key) => {
    const box = make("input", {
      type: "checkbox",
      onchange: () => {
        const keys = [...boxes].filter(([, b]) => b.checked).map(([k]) => k);
        if (keys.length && keys.length <= known.bounds.integrators) on(keys);
        else box.checked = !box.checked;
      },
    });
    boxes.set(key, box);
    const { name } = known.styles[key];
    return make("li", {}, make("label", {}, box, sample(known.styles, key), make("b", {}, key), " ", make("span", { class: "quiet" }, name)));
  };
  list.append(...first.map(entry));
  more.append(...rest.map(entry));
  const others = rest.length ? make("details", { class: "more" }, make("summary", {}, `${rest.length} more`), more) : null;
  return {
    element: make("div", {}, list, others),
    fill(keys) {
      boxes.forEach((box, key) => (box.checked = keys.includes(key)));
    },
  };
}

const LOWEST = -3; // powers of ten of the step size
const HIGHEST = 1;

/** The step size, with halving and doubling, and the number of steps. */
export function stepControls(known, on) {
  const slider = make("input", { type: "range", min: LOWEST, max: HIGHEST, step: 0.01, "aria-label": "step size h" });
  const number = make("input", { type: "number", min: 0.001, max: 10, step: "any", "aria-label": "step size h as a number" });
  const steps = make("input", { type: "number", min: 1, max: known.bounds.steps, step: 1, "aria-label": "steps" });
  const show = (h) => {
    slider.value = Math.log10(h);
    slider.setAttribute("aria-valuetext", `h ${written(h)}`);
    number.value = Number(h.toPrecision(6));
  };
  slider.addEventListener("input", () => on.step_size(Number((10 ** slider.value).toPrecision(3)), true));
  slider.addEventListener("change", () => on.step_size(Number((10 ** slider.value).toPrecision(3)), false));
  number.addEventListener("change", () => {
    const h = Number(number.value);
    if (h >= 1e-6 && h <= 1e3) on.step_size(h, false);
  });
  steps.addEventListener("change", () => {
    const k = Math.round(Number(steps.value));
    if (k >= 1 && k <= known.bounds.steps) on.steps(k);
  });
  const halve = make("button", { type: "button", onclick: () => on.scale(0.5), title: "half the step, twice as many: the same final time" }, "½ h");
  const double = make("button", { type: "button", onclick: () => on.scale(2), title: "twice the step, half as many: the same final time" }, "2 h");
  return {
    element: make("div", { class: "step-controls" }, make("label", { class: "wide" }, "h ", slider, number), halve, double, make("label", {}, "steps ", steps)),
    fill(settings) {
      show(settings.step_size);
      steps.value = settings.steps;
    },
  };
}

/** A number for each coordinate of the start, and for three coordinates which two are drawn. */
export function startFields(on) {
  const element = make("div", { class: "start-fields" });
  let inputs = [];
  let chosen = null;
  return {
    element,
    build(coordinates, plane) {
      inputs = coordinates.map(({ name }, i) =>
        make("input", {
          type: "number",
          step: "any",
          "aria-label": `${name} at the beginning`,
          onchange: () => {
            const point = inputs.map((input) => Number(input.value));
            if (inputs.every((input) => input.value !== "") && point.every(Number.isFinite)) on.start(point);
            else inputs[i].setAttribute("aria-invalid", "true");
          },
        }),
      );
      element.replaceChildren(...coordinates.map(({ mathml }, i) => make("label", {}, math(mathml), " = ", inputs[i])));
      chosen = null;
      if (coordinates.length > 2) {
        const pairs = coordinates.flatMap((_, i) => coordinates.map((__, j) => [i, j])).filter(([i, j]) => i < j);
        chosen = make("select", { "aria-label": "the two coordinates that are drawn", onchange: () => on.plane(pairs[chosen.selectedIndex]) });
        pairs.forEach(([i, j]) => chosen.append(make("option", { selected: i === plane[0] && j === plane[1] }, `${coordinates[i].name}, ${coordinates[j].name}`)));
        element.append(make("label", {}, "drawn: ", chosen));
      }
    },
    fill(start) {
      if (start?.length !== inputs.length) return; // those of another family are on their way
      inputs.forEach((input, i) => {
        if (document.activeElement !== input) input.value = Number(start[i].toPrecision(5));
        input.removeAttribute("aria-invalid");
      });
    },
  };
}

/** Chips to choose one of the charts. */
export function chips(on) {
  const name = unique("chips");
  const element = make("div", { class: "chips", role: "radiogroup", "aria-label": "view chart" });
  return {
    element,
    fill(charts, chosen) {
      element.replaceChildren(
        ...charts.map((chart, i) => {
          const radio = make("input", { type: "radio", name, checked: i === chosen, "aria-label": `chart ${chart.label}`, onchange: () => on(chart.label) });
          return make("label", { class: "chip", title: chart.label }, radio, make("span", {}, math(chart.mathml)));
        }),
      );
    },
  };
}
