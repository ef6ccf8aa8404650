// The settings of a view, and how an address holds them.

/** Settings as the part of an address behind the number sign. */
export function toAddress(settings) {
  const words = new URLSearchParams();
  const put = (name, value) => value !== null && value !== undefined && words.append(name, String(value));
  put("family", settings.family);
  put("start", settings.start?.join(","));
  put("h", settings.step_size);
  put("steps", settings.steps);
  put("integrators", settings.integrators.join(","));
  for (const chart of settings.charts) put("chart", chart);
  if (!settings.charts.length) put("chart", "");
  put("view", settings.view);
  put("plane", settings.plane?.join(","));
  const { data } = settings;
  if (data.kind === "drawn") {
    put("point", data.point?.join(","));
    put("size", data.size);
    put("seed", data.seed);
  }
  return words.toString();
}

/** Settings from an address, where it has any; what makes no sense is left out. */
export function fromAddress(address, known) {
  const words = new URLSearchParams(address);
  const found = {};
  const numbers = (text) => {
    const list = (text ?? "").split(",").map(Number);
    return text && list.every(Number.isFinite) ? list : null;
  };
  const family = words.get("family");
  if (!known.families.some(({ key }) => key === family)) return null;
  found.family = family;
  found.start = numbers(words.get("start"));
  found.plane = numbers(words.get("plane"));
  const texts = words.has("chart") ? words.getAll("chart").filter(Boolean) : known.families.find(({ key }) => key === family).charts;
  found.charts = texts.slice(0, known.bounds.charts);
  found.view = words.get("view");
  const h = Number(words.get("h"));
  if (h > 0) found.step_size = h;
  const steps = Number(words.get("steps"));
  if (Number.isInteger(steps) && steps > 0 && steps <= known.bounds.steps) found.steps = steps;
  const keys = (words.get("integrators") ?? "").split(",").filter((key) => known.integrators.includes(key));
  if (keys.length) found.integrators = keys;
  const size = Number(words.get("size"));
  if (Number.isInteger(size) && size > 1) {
    found.data = { kind: "drawn", point: numbers(words.get("point")), size, seed: Number(words.get("seed")) || 0 };
  }
  return found;
}

/** A copy of settings that shares nothing with them. */
export function copied(settings) {
  return structuredClone(settings);
}

/** Whether two settings, or parts of them, are the same. */
export function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A chart as it is typed, a formula for each coordinate. */
export function fieldsOf(text, coordinates) {
  const fields = Object.fromEntries(coordinates.map((name) => [name, name]));
  for (const part of text.split(/,\s*(?=\w+\s*=)/)) {
    const [, name, formula] = part.match(/^\s*(\w+)\s*=\s*(.*?)\s*$/) ?? [];
    if (name in fields) fields[name] = formula;
  }
  return fields;
}

/** The same as a line of text; coordinates that stay as they are are left out. */
export function textOf(fields) {
  const parts = Object.entries(fields).filter(([name, formula]) => formula.trim() && formula.trim() !== name);
  return parts.map(([name, formula]) => `${name} = ${formula.trim()}`).join(", ");
}
