// A card: the request, why it is here, its state, and the emoji that change it.
import {attached, byId, clock, fresh, make, pictured} from "./draw.js";
import {buildButtons, buildUnder, buildWriter, openWriter} from "./under.js";
import {act} from "./wire.js";

const unfolded = new Set(); // cards of which somebody opened what is folded

export function buildCard(card) {
  const node = make("article", {}, make("div", {class: "card-body"}), buildWriter(card));
  renewCard(node, card);
  if (fresh(card)) node.classList.add("fresh");
  return node;
}

// The writer under the card stays as it is: somebody may be typing in it.
export function renewCard(node, card) {
  const still = card.moved !== null || card.done;
  node.className = `card${card.moved !== null ? " moved" : ""}${card.done ? " closed" : ""}`;
  node.setAttribute("aria-label", `Card: ${card.excerpt.slice(0, 60)}`);
  node.id = cardId(card.key);
  node.tabIndex = -1;
  const [body, writer] = node.children;
  if (card.moved !== null) writer.hidden = true;
  body.replaceChildren(...(still ? buildStill(card) : buildLive(card)).filter(Boolean));
}

const cardId = (key) => `card-${key}`;

function buildLive(card) {
  return [
    buildTop(card, make("span", {class: `mark ${card.by}`, text: card.mark})),
    make("p", {class: `excerpt${card.deleted ? " gone" : ""}`, text: card.excerpt, dir: "auto"}),
    attached(card.attached),
    make("p", {class: "why", text: `${card.author} · ${card.why}`}),
    ...card.heard.map((text) => make("p", {class: "remembered", text, title: text, dir: "auto"})),
    ...card.remembered.map((text) => make("p", {class: "remembered", text, title: text, dir: "auto"})),
    ...buildMarks(card),
    buildHistory(card),
    ...card.under.map((line) => buildUnder(card, line)),
    buildToolbar(card),
  ];
}

function buildMarks(card) {
  return card.marks.map((text) => make("p", {class: `fact${card.taken && text === card.marks[0] ? " taken" : ""}`, text}));
}

// A card that moved or is done: a short form, with what is needed to undo that.
function buildStill(card) {
  const moved = card.moved !== null;
  return [
    buildTop(card, make("span", {class: "mark", text: moved ? card.moved : card.marks[0]})),
    make(moved ? "s" : "p", {class: "excerpt", text: card.excerpt, dir: "auto"}),
    ...(moved ? [] : card.marks.slice(1).map((text) => make("p", {class: "fact", text}))),
    ...(moved ? buildLeft(card) : card.under.map((line) => buildUnder(card, line))),
    buildUndo(card),
  ];
}

// The lines under a card that moved go with it as history; here they are folded away.
function buildLeft(card) {
  const notices = card.under.filter((line) => line.kind === "notice");
  const said = card.under.filter((line) => line.kind !== "notice" && line.kind !== "wrong-team");
  const lines = said.map((line) => buildUnder(card, line));
  return [fold(card, `Said here (${said.length})`, lines), ...notices.map((line) => buildUnder(card, line))];
}

function buildTop(card, mark) {
  return make("p", {class: "card-top"}, mark, clock(card.at));
}

function buildHistory(card) {
  const lines = card.history.map(({who, what}) =>
    make("p", {dir: "auto"}, make("b", {text: `${who}: `}), make("span", {text: what})),
  );
  return fold(card, `So far (${lines.length})`, lines);
}

// Folded until somebody opens it, then open however often the card is drawn again.
function fold(card, title, lines) {
  if (!lines.length) return null;
  return make(
    "details",
    {
      class: "history",
      open: unfolded.has(card.key),
      ontoggle: (event) => (event.currentTarget.open ? unfolded.add(card.key) : unfolded.delete(card.key)),
    },
    make("summary", {text: title, "data-focus": `history/${card.key}`}),
    ...lines,
  );
}

// A line in a team's room that is no card and belongs to none: a verdict on an adapter, a reminder.
export function buildStanding(line, arriving) {
  return make(
    "div",
    {class: `standing ${line.kind}${arriving}`},
    make("p", {class: "excerpt", text: line.text ?? "", dir: "auto"}),
    ...(line.reasons ?? []).map((reason) => make("p", {class: "why", text: reason})),
    ...(line.picture ? [make("img", {class: "picture", src: line.picture, alt: ""})] : []), // the lines above say it, too
    buildJump(line),
    buildButtons(line, line),
    ...(line.under ?? []).map((under) => buildUnder(line, under)),
  );
}

// --- the emoji ---

const ROLES = {take: ["Take", "I am on it"], done: ["Done", "It is dealt with"], wrong: ["", "Wrong team"]};

function buildToolbar(card) {
  const handling = Object.entries(card.handling)
    .filter(([, mark]) => mark)
    .map(([role, mark]) => buildHandling(card, role, mark));
  const reply = make("button", {
    type: "button",
    class: "write-under",
    text: "Reply",
    tabindex: -1,
    "aria-label": `Write under this card`,
    "data-focus": `reply/${card.key}`,
    onclick: (event) => openWriter(event.currentTarget.closest(".card")),
  });
  return toolbar("What to do with it", [
    make("div", {class: "handling"}, ...handling, reply),
    make("div", {class: "reactions"}, ...card.reactions.map((reaction) => buildReaction(card, reaction))),
  ]);
}

// On a card that moved: the lead's own emoji to take back. On one that is done: the emoji that opens it again.
function buildUndo(card) {
  const moved = card.moved !== null;
  const own = moved ? card.reactions.filter((reaction) => reaction.mine) : [];
  const [role, text] = moved ? ["wrong", "take back"] : ["done", "open again"];
  const buttons = [
    card.handling[role]?.mine && buildHandling(card, role, card.handling[role], text),
    ...own.map((reaction) => buildReaction(card, reaction, "take back")),
    buildJump(card),
  ].filter(Boolean);
  return buttons.length ? toolbar("What can be undone", [make("div", {class: "handling"}, ...buttons)]) : null;
}

function toolbar(name, rows) {
  const bar = make("div", {class: "toolbar", role: "toolbar", "aria-label": name, onkeydown: rove}, ...rows);
  bar.querySelectorAll("button").forEach((button, position) => {
    button.tabIndex = position === 0 ? 0 : -1;
  });
  return bar;
}

function buildHandling(card, role, mark, text = ROLES[role][0]) {
  return buildEmoji(card, mark.emoji, mark.mine, ROLES[role][1], text);
}

function buildReaction(card, reaction, text = "") {
  const meaning = !reaction.label
    ? ""
    : reaction.confirms
      ? `${reaction.label} is right`
      : `move to ${reaction.label}`;
  return buildEmoji(card, reaction.emoji, reaction.mine, meaning, text);
}

function buildEmoji(card, emoji, mine, meaning, text) {
  return make(
    "button",
    {
      type: "button",
      class: "reaction",
      "aria-pressed": String(mine),
      "aria-label": `React with ${emoji}${meaning && `: ${meaning}`}`,
      title: mine ? "Take back" : meaning,
      "data-focus": `react/${card.key}/${emoji}`,
      onclick: () =>
        act("chat/reactions", {ref: {room: card.room, id: card.id}, emoji, added: !mine, actor: "lead"}),
    },
    make("span", {class: "emoji", text: pictured(emoji)}),
    text && make("span", {text}),
  );
}

// A button that leads to the card that this card or notice refers to.
function buildJump(line) {
  return (
    line.link &&
    make("button", {
      type: "button",
      class: "quiet jump",
      text: `${line.link.text} →`,
      "data-focus": `jump/${line.key}`,
      onclick: () => jump(line.link.key),
    })
  );
}

function jump(key) {
  const there = byId(cardId(key));
  if (!there) return;
  there.scrollIntoView({block: "center", inline: "nearest"});
  there.focus({preventScroll: true});
  there.classList.remove("found");
  requestAnimationFrame(() => there.classList.add("found"));
}

function rove(event) {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
  const ends = {Home: 0, End: buttons.length - 1};
  const here = buttons.indexOf(document.activeElement);
  const next =
    event.key in ends
      ? ends[event.key]
      : event.key in steps
        ? (here + steps[event.key] + buttons.length) % buttons.length
        : null;
  if (next === null || here < 0) return;
  event.preventDefault();
  buttons.forEach((button, position) => {
    button.tabIndex = position === next ? 0 : -1;
  });
  buttons[next].focus();
}
