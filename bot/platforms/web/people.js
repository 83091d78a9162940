// The rooms of the people who ask: conversations, questions with buttons, and the box to write in.
import {byId, clock, fresh, make, patch} from "./draw.js";
import {act} from "./wire.js";

const READING_FOR = 20_000; // after that an unanswered message is just unanswered
const replying = {};
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
    make("p", {class: "replying", hidden: true}),
    box,
    make("button", {type: "submit", class: "send", "aria-label": "Send"}, "↑"),
  );
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") replyIn(room.room, null);
  });
  return make(
    "section",
    {class: "room panel", id: `room-${room.room}`, "aria-label": room.name},
    make(
      "div",
      {class: "heading"},
      make("h2", {text: room.name}),
      make("p", {text: room.room === "customer" ? "asks for help from outside" : "asks for help from inside"}),
    ),
    make("div", {class: "threads", tabindex: 0, role: "region", "aria-label": `${room.name}: conversations`}),
    form,
  );
}

export function showThreads(room, now, render) {
  const list = byId(`room-${room.room}`).querySelector(".threads");
  const lastAnswer = Math.max(
    0,
    ...room.threads
      .flatMap((t) => t.lines)
      .filter((l) => l.kind !== "person")
      .map((l) => l.at),
  );
  const threads = room.threads.map((thread) => ({
    ...thread,
    key: thread.thread,
    reading: isBeingRead(thread, lastAnswer, now),
  }));
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  patch(list, threads.length ? threads : [{key: "empty", empty: true}], (thread) => buildThread(room, thread));
  if (atEnd) toEnd(list);
  if (threads.some((thread) => thread.reading)) setTimeout(render, 2_000);
}

function isBeingRead(thread, lastAnswer, now) {
  const last = thread.lines[thread.lines.length - 1];
  const answered = thread.lines.some((line) => line.kind !== "person");
  return !answered && last.at > lastAnswer && now - last.at < READING_FOR;
}

function buildThread(room, thread) {
  if (thread.empty)
    return make("p", {class: "empty", text: "Nothing said yet. Each new message starts a conversation."});
  const first = thread.lines.find((line) => line.kind === "person");
  return make(
    "article",
    {class: "thread"},
    ...thread.lines.map((line) => buildLine(room.room, line)),
    thread.reading &&
      make("p", {class: "line bot reading", "aria-label": "Switchboard is reading"}, make("i"), make("i"), make("i")),
    make("button", {
      type: "button",
      class: "quiet reply",
      text: "Reply",
      "data-focus": `reply/${thread.thread}`,
      "aria-label": `Reply in “${(first?.text ?? "").slice(0, 60)}”`,
      onclick: () => replyIn(room.room, thread.thread, first?.text),
    }),
  );
}

function buildLine(room, line) {
  const mine = line.kind === "person";
  const buttons = (line.buttons ?? []).map((button) =>
    make("button", {
      type: "button",
      class: "choice",
      text: button.text,
      "data-focus": `press/${line.key}/${button.value}`,
      onclick: () => {
        byId(`room-${room}`).querySelector("textarea").focus(); // the button is about to go
        act("/chat/presses", {ref: {room, id: line.id}, value: button.value});
      },
    }),
  );
  return make(
    "div",
    {class: `line ${mine ? "person" : "bot"}${fresh(line)}`},
    make("p", {class: "text", text: line.text ?? "", dir: "auto"}),
    buttons.length > 0 && make("div", {class: "choices"}, ...buttons),
    make("p", {class: "by"}, mine ? "" : "Switchboard · ", clock(line.at)),
  );
}

function replyIn(room, thread, text) {
  replying[room] = thread;
  const note = byId(`room-${room}`).querySelector(".replying");
  note.hidden = !thread;
  note.replaceChildren(
    ...(thread
      ? [
          make("span", {text: `Replying to “${(text ?? "").slice(0, 60)}”`}),
          make("button", {
            type: "button",
            class: "quiet",
            text: "✕",
            "aria-label": "Start a new conversation instead",
            onclick: () => replyIn(room, null),
          }),
        ]
      : []),
  );
  byId(`room-${room}`).querySelector("textarea").focus();
}

export async function send(room, box) {
  const text = box.value;
  if (!text.trim() || drafts[room]?.underway) return;
  // the same words after a failure keep their id, so that a message stored twice is one message
  if (drafts[room]?.text !== text) drafts[room] = {text, id: newId()};
  drafts[room].underway = true;
  const body = {room, text, id: drafts[room].id, ...(replying[room] ? {thread: replying[room]} : {})};
  const stored = await act("/chat/messages", body);
  if (drafts[room]) drafts[room].underway = false;
  if (!stored) return;
  delete drafts[room];
  if (box.value === text) box.value = "";
  if (replying[room]) replyIn(room, null);
  toEnd(byId(`room-${room}`).querySelector(".threads"));
}

export function toEnd(list) {
  list.scrollTop = list.scrollHeight;
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
