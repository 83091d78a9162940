// Drawing without a framework: elements from plain values, patched in place by key.

const shapes = new WeakMap();

// Make an element; `text` and every string child are inserted as text, never as markup; onX are listeners.
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

// Make the children match the items, in order, by item.key; only changed ones are touched.
// A changed one is rebuilt or, with renew(node, item), changed in place, so that text being typed in it stays.
export function patch(parent, items, build, renew) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, position) => {
    const shape = JSON.stringify(item);
    let node = old.get(item.key);
    old.delete(item.key);
    if (!node || shapes.get(node) !== shape) {
      if (node && renew) renew(node, item);
      else {
        const built = build(item);
        built.dataset.key = item.key;
        node?.replaceWith(built);
        node = built;
      }
      shapes.set(node, shape);
    }
    if (parent.children[position] !== node) parent.insertBefore(node, parent.children[position] ?? null);
  });
  old.forEach((node) => node.remove());
}

// A rebuilt element gets back the focus of its predecessor with the same data-focus.
export function keepingFocus(change) {
  const key = document.activeElement?.dataset?.focus;
  change();
  if (key && document.activeElement?.dataset?.focus !== key) focusOn(key);
}

export function focusOn(key) {
  [...document.querySelectorAll("[data-focus]")]
    .find((node) => node.dataset.focus === key)
    ?.focus({preventScroll: true});
}

// Emoji are stored without their variation selector; some need it to be drawn as pictures.
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

// A quiet button that asks for confirmation before it does something irreversible.
export function sure(properties, text, act) {
  const button = make("button", {type: "button", class: "quiet", ...properties, text});
  const calm = () => {
    button.textContent = text;
    button.classList.remove("asking");
  };
  button.addEventListener("click", () => {
    if (button.classList.contains("asking")) return act();
    button.textContent = "Really delete?";
    button.classList.add("asking");
    setTimeout(calm, 4_000);
  });
  button.addEventListener("blur", calm);
  return button;
}

// The names of attachments, as links where there is an address.
export function attached(media) {
  if (!media?.length) return null;
  const names = media.map(({name, link}) =>
    link
      ? make("a", {href: link, target: "_blank", rel: "noopener noreferrer", text: name})
      : make("span", {text: name}),
  );
  return make("p", {class: "attached", "aria-label": "Attached"}, ...names);
}

export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Enter sends, Shift+Enter inserts a new line, Escape cancels.
export function keys(form, leave) {
  return (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") leave();
  };
}

export const byId = (id) => document.getElementById(id);

// What the page has shown, by line: new lines are animated, and new or changed ones are read out.
export const seen = new Map();

export function fresh(line) {
  return seen.has(line.key) ? "" : " fresh";
}
