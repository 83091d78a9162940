// The rooms of the teams: cards, what was added to them, and the emoji that correct them.
import {byId, clock, fresh, make, patch, pictured} from "./draw.js";
import {act} from "./wire.js";

export function showBoard(teams) {
  // every team keeps its place: a card only pushes down what stands below it
  const wide = Math.max(1, Math.floor(byId("board").clientWidth / 285));
  const columns = [...Array(wide).keys()].map((key) => ({key: `${key} of ${wide}`}));
  patch(byId("board"), columns, () => make("div", {class: "column"}));
  [...byId("board").children].forEach((column, place) =>
    patch(
      column,
      teams.filter((_, position) => position % wide === place).map((room) => ({key: room.room, ...room})),
      buildTeam,
    ),
  );
}

function buildTeam(room) {
  const live = room.cards.filter((card) => card.kind === "card" && !card.moved).length;
  return make(
    "section",
    {class: `team${room.cards.length ? "" : " idle"}`, "aria-label": room.teams.map((t) => t.name).join(", ")},
    ...room.teams.map((team) =>
      make(
        "div",
        {class: "team-head"},
        make("span", {class: "emoji", "aria-hidden": "true", text: pictured(team.emoji || "•")}),
        make(
          "div",
          {},
          make("h3", {text: team.name}),
          make("p", {class: "means", text: team.means, title: team.means}),
        ),
        live > 0 && make("span", {class: "count", text: String(live), "aria-label": `${live} open`}),
      ),
    ),
    ...room.cards.map((card) => (card.kind === "card" ? buildCard(room, card) : buildNote(card))),
  );
}

function buildCard(room, card) {
  const moved = card.moved !== null;
  return make(
    "article",
    {class: `card${moved ? " moved" : ""}${fresh(card)}`, "aria-label": `Card: ${card.excerpt.slice(0, 60)}`},
    make(
      "p",
      {class: "card-top"},
      make("span", {class: `mark ${card.by}`, text: moved ? card.moved : card.mark}),
      clock(card.at),
    ),
    make(moved ? "s" : "p", {class: "excerpt", text: card.excerpt, dir: "auto"}),
    !moved && make("p", {class: "why", text: `${card.author} · ${card.why}`}),
    ...card.under.map(buildNote),
    buildReactions(room, card, moved),
  );
}

function buildNote(note) {
  return make(
    "div",
    {class: `note ${note.kind}${fresh(note)}`},
    note.title && make("p", {class: "why", text: note.title}),
    make("p", {class: "excerpt", text: note.text ?? "", dir: "auto"}),
    ...(note.reasons ?? []).map((reason) => make("p", {class: "why", text: reason})),
  );
}

function buildReactions(room, card, moved) {
  const shown = card.reactions.filter((reaction) => !moved || reaction.count > 0);
  const buttons = shown.map((reaction, position) => {
    const meaning = !reaction.label
      ? ""
      : reaction.confirms
        ? `: ${reaction.label} is right`
        : `: move to ${reaction.label}`;
    return make(
      "button",
      {
        type: "button",
        class: "reaction",
        tabindex: position === 0 ? 0 : -1,
        "aria-pressed": String(reaction.mine),
        "aria-label": `React with ${reaction.emoji}${meaning}`,
        title: reaction.mine ? "Take back" : meaning.slice(2),
        "data-focus": `react/${card.key}/${reaction.emoji}`,
        onclick: () =>
          act("/chat/reactions", {
            ref: {room: room.room, id: card.id},
            emoji: reaction.emoji,
            added: !reaction.mine,
            actor: "lead",
          }),
      },
      make("span", {class: "emoji", text: pictured(reaction.emoji)}),
      moved && make("span", {text: "take back"}),
    );
  });
  if (!buttons.length) return null;
  return make(
    "div",
    {class: "reactions", role: "toolbar", "aria-label": "Which team? React with its emoji", onkeydown: rove},
    ...buttons,
  );
}

function rove(event) {
  const buttons = [...event.currentTarget.children];
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
  const ends = {Home: 0, End: buttons.length - 1};
  const here = buttons.indexOf(document.activeElement);
  const next =
    event.key in ends
      ? ends[event.key]
      : event.key in steps
        ? (here + steps[event.key] + buttons.length) % buttons.length
        : null;
  if (next === null) return;
  event.preventDefault();
  buttons.forEach((button, position) => {
    button.tabIndex = position === next ? 0 : -1;
  });
  buttons[next].focus();
}
