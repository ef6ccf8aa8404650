// Making elements: HTML, SVG, and mathematics that Python printed as MathML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes (functions are listeners, "on..." by name) and children. */
export function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** An SVG element with attributes and children. */
export function draw(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set several attributes. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** A math element: parsed, so that nothing in it but mathematics can come to life. */
export function math(markup) {
  const parsed = new DOMParser().parseFromString(markup ?? "", "text/html").querySelector("math");
  for (const node of parsed?.querySelectorAll("*") ?? []) {
    if (node.namespaceURI !== "http://www.w3.org/1998/Math/MathML") node.remove();
  }
  return parsed ? document.importNode(parsed, true) : document.createTextNode("");
}

let count = 0;

/** A name that no other element of the document has. */
export function unique(prefix) {
  return `riemopt-${prefix}-${++count}`;
}

/** Call a function once nothing has asked for it for a while. */
export function afterPause(milliseconds, act) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds, ...given);
  };
}
