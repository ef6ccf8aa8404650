// The top bar: the family, its data, presets, and what can be copied.

import { make, unique } from "./dom.js";

/** The bar. `on` has family(key), data(data), preset(preset), copyLink(), copyPython(). */
export function topBar(known, on) {
  const family = make("select", { "aria-label": "family", onchange: () => on.family(family.value) });
  for (const { key, name, parameters } of known.families) family.append(make("option", { value: key }, `${name} (${parameters.join(", ")})`));
  const presets = make("select", {
    "aria-label": "preset",
    onchange: () => presets.value !== "" && on.preset(known.presets[presets.value]),
  });
  presets.append(make("option", { value: "" }, "presets …"));
  known.presets.forEach((preset, i) => presets.append(make("option", { value: i, title: preset.watch }, preset.name)));
  const data = dataMenu(known, on.data);
  const linkButton = on.copyLink && make("button", { type: "button", onclick: on.copyLink }, "Copy link");
  const python = make("button", { type: "button", onclick: on.copyPython }, "Copy Python");
  const canOpen = known.families.length > 0;
  const element = make(
    "div",
    { class: "topbar" },
    make(known.kind === "notebook" ? "strong" : "h1", { class: "brand" }, "riemopt"),
    canOpen ? make("label", {}, make("span", { class: "wide-only" }, "family "), family) : null,
    canOpen ? data.element : null,
    canOpen ? make("label", {}, make("span", { class: "wide-only" }, "look at "), presets) : null,
    make("span", { class: "fill" }),
    linkButton,
    python,
  );
  return {
    element,
    takeFile: data.takeFile,
    fill(settings, description, preset) {
      family.value = settings.family;
      presets.value = preset ? known.presets.indexOf(preset) : "";
      data.fill(settings.data, description);
    },
  };
}

/** The data: drawn from a point of the family, or a file. */
function dataMenu(known, on) {
  const size = make("input", { type: "number", min: 2, max: known.bounds.samples, value: 10000, "aria-label": "how many observations to draw" });
  const seed = make("input", { type: "number", min: 0, max: 2 ** 32 - 1, value: 1234, "aria-label": "seed" });
  const points = make("span", { class: "points" });
  const column = make("input", { type: "text", maxlength: 100, "aria-label": "column of the file", placeholder: "name or number" });
  const file = make("input", { type: "file", accept: ".csv,.txt,.tsv,text/csv", "aria-label": "a CSV file", onchange: () => file.files[0] && takeFile(file.files[0]) });
  const complaint = make("p", { class: "error", role: "alert", hidden: true });
  const summary = make("summary", {}, "data");
  let inputs = [];
  let last = null;

  const drawIt = () => {
    const point = inputs.map((input) => input.value.trim()).map((text) => (text === "" ? null : Number(text)));
    const given = point.every((x) => x !== null && Number.isFinite(x));
    if (!given && point.some((x) => x !== null)) return complain("give a number for each coordinate, or for none");
    const [n, s] = [Number(size.value), Number(seed.value)];
    if (!Number.isInteger(n) || n < 2 || n > known.bounds.samples) return complain(`draw from 2 to ${known.bounds.samples} observations`);
    if (!Number.isInteger(s) || s < 0) return complain("the seed must be a whole number");
    complain("");
    return on({ kind: "drawn", point: given ? point : null, size: n, seed: s });
  };

  async function takeFile(chosen) {
    if (chosen.size > known.bounds.characters * 0.9) return complain(`${chosen.name} is too large: at most ${Math.floor(known.bounds.characters / 1.2e6)} MB`);
    last = { kind: "file", name: chosen.name.slice(0, 200), text: await chosen.text(), column: column.value.trim() || null };
    complain("");
    return on(last);
  }

  column.addEventListener("change", () => last && on((last = { ...last, column: column.value.trim() || null })));

  function complain(text) {
    complaint.textContent = text;
    complaint.hidden = !text;
    if (text) menu.open = true;
  }

  const menu = make(
    "details",
    { class: "menu" },
    summary,
    make(
      "div",
      { class: "sheet" },
      make("p", {}, "Drawn from ", points, ", or as in riemopt's own example where that is empty:"),
      make("p", {}, make("label", {}, "observations ", size), " ", make("label", {}, "seed ", seed), " ", make("button", { type: "button", onclick: drawIt }, "Draw")),
      make("p", {}, make("label", {}, "or a CSV file, which may be dropped on the page: ", file)),
      make("p", {}, make("label", {}, "its column ", column)),
      complaint,
    ),
  );
  return {
    element: menu,
    takeFile,
    fill(data, description) {
      inputs = description.coordinates.map(({ name }) => make("input", { type: "text", size: 5, placeholder: name, "aria-label": `${name} that data are drawn from` }));
      points.replaceChildren(...inputs.flatMap((input) => [input, " "]));
      if (data.kind === "drawn") {
        inputs.forEach((input, i) => (input.value = data.point?.[i] ?? ""));
        [size.value, seed.value] = [data.size, data.seed];
        last = null;
      }
      const what = data.kind === "file" ? data.name : "drawn";
      summary.textContent = `data: ${description.count.toLocaleString("en")} ${what === "drawn" ? "drawn" : `from ${what}`}`;
      complain("");
    },
    complain,
  };
}

/** Copy a text, with a word on the button that asked for it. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { id: unique("copy"), class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  if (!button) return;
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = before), 1200);
}
