// Scales from numbers to places, their ticks, and numbers as text.

/** A scale from a range of numbers to a range of places, "linear" or "log". */
export function scale(kind, [low, high], [from, to]) {
  const there = kind === "log" ? Math.log : (x) => x;
  const back = kind === "log" ? Math.exp : (x) => x;
  const a = there(low);
  const width = there(high) - a || 1;
  const place = (x) => from + ((there(x) - a) / width) * (to - from);
  place.invert = (p) => back(a + ((p - from) / (to - from)) * width);
  place.ticks = (count) => (kind === "log" ? logTicks(low, high, count) : linearTicks(low, high, count));
  return place;
}

function linearTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * step; k++) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return linearTicks(low, high, count).filter((x) => x > 0);
  const factors = decades > count ? [1] : decades > count / 2 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / count));
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
    if (e % every) continue;
    for (const factor of factors) {
      const x = factor * 10 ** e;
      if (x >= low * (1 - 1e-9) && x <= high * (1 + 1e-9)) ticks.push(Number(x.toPrecision(12)));
    }
  }
  return ticks;
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A number to some figures, as people write it. */
export function written(x, figures = 3) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) return String(Number(x.toPrecision(figures))).replace("-", "−");
  const [mantissa, exponent] = x.toExponential(Math.min(1, figures - 1)).split("e");
  const power = exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (d) => SUPERSCRIPT[d]);
  const rounded = Number(mantissa);
  return `${rounded === 1 ? "" : `${rounded}·`}10${power}`.replace("-", "−");
}

/** How many entries come before the first that is missing. */
export function finite(values) {
  const end = values.indexOf(null);
  return end < 0 ? values.length : end;
}
