// The rooms of the people who ask: conversations, questions with buttons, and the box to write in.
import {attached, byId, clock, focusOn, fresh, keys, make, newId, patch, sure} from "./draw.js";
import {act} from "./wire.js";

const READING_FOR = 20_000; // after that an unanswered message is just unanswered
const doing = {}; // room -> what its box is for besides a new conversation: {thread} to reply in, or {edit} to change
const drafts = {};

export function buildRoom(room) {
  const box = make("textarea", {
    rows: 1,
    placeholder: `Write as the ${room.name.toLowerCase()}…`,
    "aria-label": `Write as the ${room.name.toLowerCase()}`,
    "data-focus": `box/${room.room}`,
  });
  const form = make(
    "form",
    {
      class: "composer",
      onsubmit: (event) => {
        event.preventDefault();
        send(room.room, box);
      },
    },
    make("p", {class: "doing", hidden: true}),
    box,
    make("button", {type: "submit", class: "send", "aria-label": "Send"}, "↑"),
  );
  box.addEventListener(
    "keydown",
    keys(form, () => use(room.room, null)),
  );
  return make(
    "section",
    {class: `room panel ${room.room}`, id: `room-${room.room}`, "aria-label": room.name},
    make(
      "div",
      {class: "heading"},
      make("span", {class: "face", "aria-hidden": "true", text: room.name[0]}),
      make("h2", {text: room.name}),
      make("p", {text: room.room === "customer" ? "asks from outside" : "asks from inside"}),
    ),
    make("div", {class: "threads", tabindex: 0, role: "region", "aria-label": `${room.name}: conversations`}),
    form,
  );
}

export function showThreads(room, now, render) {
  const list = byId(`room-${room.room}`).querySelector(".threads");
  const answers = room.threads.flatMap((thread) => thread.lines).filter((line) => line.kind !== "person");
  const lastAnswer = Math.max(0, ...answers.map((line) => line.at));
  const threads = room.threads.map((thread) => ({
    ...thread,
    key: thread.thread,
    reading: isBeingRead(thread, lastAnswer, now),
  }));
  const before = threads.length && !list.querySelector(".empty") ? list.scrollHeight : 0;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  patch(list, threads.length ? threads : [{key: "empty", empty: true}], (thread) => buildThread(room, thread));
  if (atEnd || !before) toEnd(list);
  if (threads.some((thread) => thread.reading)) setTimeout(render, 2_000);
}

function isBeingRead(thread, lastAnswer, now) {
  const last = thread.lines[thread.lines.length - 1];
  const answered = thread.lines.some((line) => line.kind !== "person");
  return !answered && !last.deleted && last.at > lastAnswer && now - last.at < READING_FOR;
}

function buildThread(room, thread) {
  if (thread.empty)
    return make("p", {class: "empty", text: "Nothing said yet. Each new message starts a conversation."});
  const first = thread.lines.find((line) => line.kind === "person");
  return make(
    "article",
    {class: "thread"},
    ...thread.lines.map((line) => (line.kind === "person" ? buildOwn(room.room, line) : buildLine(room.room, line))),
    thread.reading &&
      make("p", {class: "line bot reading", "aria-label": "Switchboard is reading"}, make("i"), make("i"), make("i")),
    make("button", {
      type: "button",
      class: "quiet respond",
      text: "Reply",
      "data-focus": `reply/${thread.thread}`,
      "aria-label": `Reply in “${(first?.text ?? "").slice(0, 60)}”`,
      onclick: () => use(room.room, {thread: thread.thread, text: first?.text}),
    }),
  );
}

function buildOwn(room, line) {
  if (line.deleted)
    return make(
      "div",
      {class: "line person gone"},
      make("p", {class: "text", text: "Deleted"}),
      make("p", {class: "by"}, clock(line.at)),
    );
  const ref = {room, id: line.id};
  const about = `“${line.text.slice(0, 60)}”`;
  return make(
    "div",
    {class: `line person${fresh(line)}`},
    make("p", {class: "text", text: line.text, dir: "auto"}),
    make(
      "p",
      {class: "by"},
      make(
        "span",
        {class: "tools"},
        make("button", {
          type: "button",
          class: "quiet",
          text: "Edit",
          "aria-label": `Edit ${about}`,
          "data-focus": `edit/${line.key}`,
          onclick: () => use(room, {edit: line.id, text: line.text}),
        }),
        sure({"aria-label": `Delete ${about}`, "data-focus": `delete/${line.key}`}, "Delete", () => {
          focusOn(`box/${room}`); // the button is about to go
          act("chat/deletions", {ref});
        }),
      ),
      line.edited && "edited · ",
      clock(line.at),
    ),
  );
}

function buildLine(room, line) {
  const buttons = (line.buttons ?? []).map((button) =>
    make("button", {
      type: "button",
      class: "choice",
      text: button.text,
      "data-focus": `press/${line.key}/${button.value}`,
      onclick: () => {
        focusOn(`box/${room}`); // the button is about to go
        act("chat/presses", {ref: {room, id: line.id}, value: button.value});
      },
    }),
  );
  return make(
    "div",
    {class: `line bot ${line.kind}${fresh(line)}`},
    make(
      "div",
      {class: "text"},
      line.title && make("p", {class: "title", text: line.title}),
      make("p", {text: line.text ?? "", dir: "auto"}),
      attached(line.attached),
    ),
    buttons.length > 0 && make("div", {class: "choices"}, ...buttons),
    make("p", {class: "by"}, line.kind === "reply" ? "The team · " : "Switchboard · ", clock(line.at)),
  );
}

// Use the room's box to reply in a thread, to change a message or, with null, for a new conversation again.
function use(room, what) {
  const box = byId(`room-${room}`).querySelector("textarea");
  if (doing[room]?.edit) box.value = doing[room].before;
  doing[room] = what && {...what, before: box.value};
  if (what?.edit) box.value = what.text;
  const note = byId(`room-${room}`).querySelector(".doing");
  note.hidden = !what;
  note.replaceChildren(
    ...(what
      ? [
          make("span", {text: `${what.edit ? "Changing" : "Replying to"} “${(what.text ?? "").slice(0, 60)}”`}),
          make("button", {
            type: "button",
            class: "quiet",
            text: "✕",
            "aria-label": what.edit ? "Leave the message as it is" : "Start a new conversation instead",
            onclick: () => use(room, null),
          }),
        ]
      : []),
  );
  box.focus();
}

export async function send(room, box) {
  const text = box.value;
  if (!text.trim() || drafts[room]?.underway) return;
  // the same words after a failure keep their id, so that a message stored twice is one message
  if (drafts[room]?.text !== text) drafts[room] = {text, id: newId()};
  drafts[room].underway = true;
  const what = doing[room] ?? {};
  const stored = what.edit
    ? await act("chat/edits", {ref: {room, id: what.edit}, text})
    : await act("chat/messages", {room, text, id: drafts[room].id, ...(what.thread ? {thread: what.thread} : {})});
  if (drafts[room]) drafts[room].underway = false;
  if (!stored) return;
  delete drafts[room];
  if (box.value === text && !what.edit) box.value = "";
  if (doing[room]) use(room, null);
  if (!what.edit) toEnd(byId(`room-${room}`).querySelector(".threads"));
}

// Write this text in the room, as a conversation of its own.
export function begin(room, text) {
  if (doing[room]) use(room, null);
  const box = byId(`room-${room}`).querySelector("textarea");
  box.value = text;
  send(room, box);
}

export function toEnd(list) {
  list.scrollTop = list.scrollHeight;
}
