// The four steps that introduce a newcomer to the product.
import {byId, make, patch} from "./draw.js";
import {begin} from "./people.js";

const FIRST_WORDS = "I was charged twice for the same order";

export function showSteps(state, go) {
  const lines = state.people.flatMap((room) => room.threads.flatMap((thread) => thread.lines));
  const cards = state.teams.flatMap((room) => room.cards).filter((card) => card.kind === "card");
  const corrected = cards.filter((card) => card.by === "lead" && !card.moved).sort((a, b) => b.at - a.at)[0];
  const done = [
    lines.length > 0,
    cards.some((card) => card.moved || card.by === "lead"),
    cards.some((card) => card.by === "memory"),
    cards.some((card) => card.under.some((line) => line.kind === "sent")),
  ];
  const current = done.indexOf(false);
  done.forEach((yes, position) => {
    byId(`step-${position + 1}`).classList.toggle("done", yes);
    byId(`step-${position + 1}`).classList.toggle("current", position === current);
  });
  const first = state.examples.length ? state.examples : [FIRST_WORDS];
  const similar = corrected ? [`Hello again! ${corrected.excerpt.slice(0, 90)}`] : [];
  byId("detail-3").hidden = Boolean(corrected);
  showChips("chips-1", first, go);
  showChips("chips-3", similar, go);
}

function showChips(id, texts, go) {
  patch(
    byId(id),
    texts.map((text) => ({key: text})),
    ({key}) =>
      make("button", {
        type: "button",
        class: "chip",
        text: key,
        title: key,
        "data-focus": `chip/${key}`,
        onclick: () => {
          go("room-customer");
          begin("customer", key);
        },
      }),
  );
}

export function offerSteps() {
  byId("help").addEventListener("click", () => show(byId("hint").hidden));
  byId("hide").addEventListener("click", () => {
    show(false);
    byId("help").focus();
  });
  show(wanted());
}

function show(shown) {
  byId("hint").hidden = !shown;
  byId("help").setAttribute("aria-expanded", String(shown));
  try {
    localStorage.setItem("hint", shown ? "shown" : "hidden");
  } catch {
    /* private windows do not store it, which is fine */
  }
}

function wanted() {
  try {
    return localStorage.getItem("hint") !== "hidden";
  } catch {
    return true;
  }
}
