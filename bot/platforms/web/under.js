// The lines under a card: notes, sent notes, the person's additions, and the box to write more.
import {attached, clock, focusOn, fresh, keys, make, newId, pictured, sure} from "./draw.js";
import {act, tell} from "./wire.js";

export function buildUnder(card, line) {
  const own = line.kind === "note" || (line.kind === "sent" && line.author);
  if (own) return line.deleted ? buildGone(line) : buildNote(card, line);
  return make(
    "div",
    {class: `under ${line.kind}${line.failed ? " failed" : ""}${line.what ? ` ${line.what}` : ""}${fresh(line)}`},
    line.title && make("p", {class: "why", text: line.title}),
    line.text && make("p", {class: "words", text: line.text, dir: "auto"}),
    ...(line.reasons ?? []).map((reason) => make("p", {class: "why", text: reason})),
    attached(line.attached),
    buildButtons(card, line),
  );
}

function buildGone(line) {
  return make("div", {class: "under note gone"}, make("p", {class: "why", text: `${line.author} deleted a note`}));
}

// A note is yellow and internal until somebody sends it; then it shows the result.
function buildNote(card, line) {
  const sent = line.kind === "sent";
  return make(
    "div",
    {class: `under ${line.kind}${line.failed ? " failed" : ""}${fresh(line)}`},
    make(
      "p",
      {class: "why"},
      make("span", {class: "who", text: sent ? line.title : `${line.author} · note for the team`}),
      make("span", {}, line.edited && "edited · ", clock(line.at)),
    ),
    make("p", {class: "words", text: line.text, dir: "auto"}),
    attached(line.attached),
    line.offer && make("p", {class: "why", text: line.offer.text}),
    make(
      "div",
      {class: "note-tools"},
      line.offer && buildButtons(card, line.offer),
      line.send && buildSend(card, line),
      ...buildTools(card, line),
    ),
  );
}

function buildSend(card, line) {
  return make(
    "button",
    {
      type: "button",
      class: "reaction",
      "aria-pressed": String(line.send.mine),
      "aria-label": `React with ${line.send.emoji}: send this note to ${card.person}`,
      title: line.send.mine ? "Take back" : `Send to ${card.person}`,
      "data-focus": `react/${line.key}/${line.send.emoji}`,
      onclick: () =>
        act("chat/reactions", {
          ref: {room: card.room, id: line.id},
          emoji: line.send.emoji,
          added: !line.send.mine,
          actor: "lead",
        }),
    },
    make("span", {class: "emoji", text: pictured(line.send.emoji)}),
  );
}

function buildTools(card, line) {
  const about = `“${line.text.slice(0, 60)}”`;
  return [
    make("button", {
      type: "button",
      class: "quiet tool",
      text: "Edit",
      "aria-label": `Edit ${about}`,
      "data-focus": `edit/${line.key}`,
      onclick: (event) => openWriter(event.currentTarget.closest(".card"), line),
    }),
    sure({class: "quiet tool", "aria-label": `Delete ${about}`, "data-focus": `delete/${line.key}`}, "Delete", () => {
      focusOn(`reply/${card.key}`); // the button is about to go
      act("chat/deletions", {ref: {room: card.room, id: line.id}});
    }),
  ];
}

export function buildButtons(card, line) {
  if (!line.buttons?.length) return null;
  const buttons = line.buttons.map(({value, text}) =>
    make("button", {
      type: "button",
      class: "choice",
      text,
      "data-focus": `press/${line.key}/${value}`,
      onclick: () => {
        focusOn(`reply/${card.key}`); // the button is about to go
        act("chat/presses", {ref: {room: card.room, id: line.id}, value});
      },
    }),
  );
  return make("div", {class: "choices"}, ...buttons);
}

// --- the box under a card ---

// It writes a note unless somebody presses the button for sending; Enter never does.
export function buildWriter(card) {
  const box = make("textarea", {
    rows: 2,
    placeholder: "Only your team sees a note…",
    "aria-label": "Write under this card",
    "data-focus": `writer/${card.key}`,
  });
  const form = make(
    "form",
    {
      class: "writer",
      hidden: true,
      onsubmit: (event) => {
        event.preventDefault();
        write(form, card, false);
      },
    },
    box,
    make(
      "div",
      {class: "writer-acts"},
      make("button", {type: "submit", class: "keep", text: "Keep as note"}),
      make("button", {
        type: "button",
        class: "give",
        text: `Send to ${card.person}`,
        onclick: () => write(form, card, true),
      }),
    ),
    make("button", {
      type: "button",
      class: "quiet cancel",
      text: "✕",
      "aria-label": "Write nothing after all",
      onclick: () => leave(form, card),
    }),
  );
  box.addEventListener(
    "keydown",
    keys(form, () => leave(form, card)),
  );
  return form;
}

export function openWriter(node, line = null) {
  const form = node.querySelector(".writer");
  const box = form.querySelector("textarea");
  if (form.dataset.edits || line) box.value = line?.text ?? "";
  form.dataset.edits = line?.id ?? "";
  form.querySelector(".keep").textContent = line ? "Save" : "Keep as note";
  form.querySelector(".give").hidden = Boolean(line);
  form.hidden = false;
  box.focus();
  form.scrollIntoView({block: "nearest"});
}

function leave(form, card) {
  const key = form.dataset.edits ? `edit/${card.room}/${form.dataset.edits}` : `reply/${card.key}`;
  if (form.dataset.edits) form.querySelector("textarea").value = "";
  form.dataset.edits = "";
  form.hidden = true;
  focusOn(key);
}

async function write(form, card, send) {
  const box = form.querySelector("textarea");
  const text = box.value;
  if (!text.trim() || form.dataset.underway) return;
  // the same words after a failure keep their id, so that a note stored twice is one note
  const words = `${send ? "send" : "keep"}: ${text}`;
  if (form.dataset.words !== words) Object.assign(form.dataset, {words, id: newId()});
  form.dataset.underway = "yes";
  const stored = await act(...toServer(form, card, text, send));
  delete form.dataset.underway;
  if (!stored) return;
  if (send) tell(`On its way to ${card.person}`);
  delete form.dataset.words;
  box.value = "";
  leave(form, card);
}

function toServer(form, card, text, send) {
  const {edits, id} = form.dataset;
  if (edits) return ["chat/edits", {ref: {room: card.room, id: edits}, text}];
  return ["chat/notes", {under: {room: card.room, id: card.id}, id, text, send}];
}
