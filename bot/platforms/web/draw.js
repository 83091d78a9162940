// Drawing without a framework: elements from plain values, patched in place by key.

const shapes = new WeakMap();

// An element; `text` and every string child go in as text, never as markup; onX are listeners.
export function make(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

// Make the children be the items, in order: by item.key, rebuilding only those that changed.
export function patch(parent, items, build) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, position) => {
    const shape = JSON.stringify(item);
    let node = old.get(item.key);
    old.delete(item.key);
    if (!node || shapes.get(node) !== shape) {
      const fresh = build(item);
      fresh.dataset.key = item.key;
      shapes.set(fresh, shape);
      node?.replaceWith(fresh);
      node = fresh;
    }
    if (parent.children[position] !== node) parent.insertBefore(node, parent.children[position] ?? null);
  });
  old.forEach((node) => node.remove());
}

// A rebuilt element gets the focus back that its forerunner with the same data-focus had.
export function keepingFocus(change) {
  const key = document.activeElement?.dataset?.focus;
  change();
  if (key && document.activeElement?.dataset?.focus !== key) {
    [...document.querySelectorAll("[data-focus]")]
      .find((node) => node.dataset.focus === key)
      ?.focus({preventScroll: true});
  }
}

// Emoji are kept without their variation selector; some need it to be drawn as pictures.
export function pictured(emoji) {
  return /^\p{Emoji_Presentation}/u.test(emoji) ? emoji : `${emoji}\ufe0f`;
}

export function clock(at) {
  const when = new Date(at);
  return make("time", {
    datetime: when.toISOString(),
    text: when.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"}),
  });
}

export const byId = (id) => document.getElementById(id);

// The keys of all lines that the page has shown; the others arrive with a little movement and are read out.
export const seen = new Set();

export function fresh(line) {
  return seen.has(line.key) ? "" : " fresh";
}
