// The local chat. Reads the state, patches the page by key, sends what people do. Every text goes in as textContent.
"use strict";

const LOST_AFTER = 40_000; // the server beats every 15 s
const READING_FOR = 20_000; // after that an unanswered message is just unanswered
const RETRIES = [500, 1_000, 2_000, 5_000];
const FIRST_WORDS = "I was charged twice for the same order";

const byId = (id) => document.getElementById(id);
const shapes = new WeakMap();
const seen = new Set();
const replying = {};
const drafts = {};
let state = null;
let clockAhead = 0;

// --- building and patching ---

function make(tag, properties, ...children) {
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

function patch(parent, items, build) {
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

function keepingFocus(change) {
  const key = document.activeElement?.dataset?.focus;
  change();
  if (key && document.activeElement?.dataset?.focus !== key) {
    [...document.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === key)?.focus({preventScroll: true});
  }
}

function pictured(emoji) {
  return /^\p{Emoji_Presentation}/u.test(emoji) ? emoji : `${emoji}\ufe0f`;
}

function clock(at) {
  return make("time", {datetime: new Date(at).toISOString(), text: new Date(at).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"})});
}

// --- people's rooms ---

function buildRoom(room) {
  const box = make("textarea", {
    rows: 1, placeholder: `Write as the ${room.name.toLowerCase()}…`, "aria-label": `Write as the ${room.name.toLowerCase()}`,
    "data-focus": `box/${room.room}`,
  });
  const form = make("form", {class: "composer", onsubmit: (event) => { event.preventDefault(); send(room.room, box); }},
    make("p", {class: "replying", hidden: true}), box,
    make("button", {type: "submit", class: "send", "aria-label": "Send"}, "↑"));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") replyIn(room.room, null);
  });
  return make("section", {class: "room panel", id: `room-${room.room}`, "aria-label": room.name},
    make("div", {class: "heading"}, make("h2", {text: room.name}), make("p", {text: room.room === "customer" ? "asks for help from outside" : "asks for help from inside"})),
    make("div", {class: "threads", tabindex: 0, role: "region", "aria-label": `${room.name}: conversations`}), form);
}

function showThreads(room) {
  const list = byId(`room-${room.room}`).querySelector(".threads");
  const lastAnswer = Math.max(0, ...room.threads.flatMap((t) => t.lines).filter((l) => l.kind !== "person").map((l) => l.at));
  const threads = room.threads.map((thread) => ({...thread, key: thread.thread, reading: isBeingRead(thread, lastAnswer)}));
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  patch(list, threads.length ? threads : [{key: "empty", empty: true}], (thread) => buildThread(room, thread));
  if (atEnd) list.scrollTop = list.scrollHeight;
  if (threads.some((thread) => thread.reading)) setTimeout(render, 2_000);
}

function isBeingRead(thread, lastAnswer) {
  const last = thread.lines[thread.lines.length - 1];
  const answered = thread.lines.some((line) => line.kind !== "person");
  return !answered && last.at > lastAnswer && Date.now() + clockAhead - last.at < READING_FOR;
}

function buildThread(room, thread) {
  if (thread.empty) return make("p", {class: "empty", text: "Nothing said yet. Each new message starts a conversation."});
  const first = thread.lines.find((line) => line.kind === "person");
  return make("article", {class: "thread"},
    ...thread.lines.map((line) => buildLine(room.room, line)),
    thread.reading && make("p", {class: "line bot reading", "aria-label": "Switchboard is reading"}, make("i"), make("i"), make("i")),
    make("button", {type: "button", class: "quiet reply", text: "Reply", "data-focus": `reply/${thread.thread}`,
      "aria-label": `Reply in “${(first?.text ?? "").slice(0, 60)}”`, onclick: () => replyIn(room.room, thread.thread, first?.text)}));
}

function buildLine(room, line) {
  const mine = line.kind === "person";
  const buttons = (line.buttons ?? []).map((button) => make("button", {
    type: "button", class: "choice", text: button.text, "data-focus": `press/${line.key}/${button.value}`,
    onclick: () => act("/chat/presses", {ref: {room, id: line.id}, value: button.value}),
  }));
  return make("div", {class: `line ${mine ? "person" : "bot"}${fresh(line)}`},
    make("p", {class: "text", text: line.text ?? "", dir: "auto"}), buttons.length > 0 && make("div", {class: "choices"}, ...buttons),
    make("p", {class: "by"}, mine ? "" : "Switchboard · ", clock(line.at)));
}

function fresh(line) {
  return seen.has(line.key) ? "" : " fresh";
}

function replyIn(room, thread, text) {
  replying[room] = thread;
  const note = byId(`room-${room}`).querySelector(".replying");
  note.hidden = !thread;
  note.replaceChildren(...(thread ? [make("span", {text: `Replying to “${(text ?? "").slice(0, 60)}”`}),
    make("button", {type: "button", class: "quiet", text: "✕", "aria-label": "Start a new conversation instead", onclick: () => replyIn(room, null)})] : []));
  byId(`room-${room}`).querySelector("textarea").focus();
}

async function send(room, box) {
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
  const list = byId(`room-${room}`).querySelector(".threads");
  list.scrollTop = list.scrollHeight;
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- team rooms ---

function showBoard() {
  // every team keeps its place: a card only pushes down what stands below it
  const wide = Math.max(1, Math.floor(byId("board").clientWidth / 285));
  const columns = [...Array(wide).keys()].map((key) => ({key: `${key} of ${wide}`}));
  patch(byId("board"), columns, () => make("div", {class: "column"}));
  [...byId("board").children].forEach((column, place) => patch(
    column, state.teams.filter((_, position) => position % wide === place).map((room) => ({key: room.room, ...room})), buildTeam));
}

function buildTeam(room) {
  const live = room.cards.filter((card) => card.kind === "card" && !card.moved).length;
  return make("section", {class: `team${room.cards.length ? "" : " idle"}`, "aria-label": room.teams.map((t) => t.name).join(", ")},
    ...room.teams.map((team) => make("div", {class: "team-head"},
      make("span", {class: "emoji", "aria-hidden": "true", text: pictured(team.emoji || "•")}),
      make("div", {}, make("h3", {text: team.name}), make("p", {class: "means", text: team.means, title: team.means})),
      live > 0 && make("span", {class: "count", text: String(live), "aria-label": `${live} open`}))),
    ...room.cards.map((card) => card.kind === "card" ? buildCard(room, card) : buildNote(card)));
}

function buildCard(room, card) {
  const moved = card.moved !== null;
  return make("article", {class: `card${moved ? " moved" : ""}${fresh(card)}`, "aria-label": `Card: ${card.excerpt.slice(0, 60)}`},
    make("p", {class: "card-top"}, make("span", {class: `mark ${card.by}`, text: moved ? card.moved : card.mark}), clock(card.at)),
    make(moved ? "s" : "p", {class: "excerpt", text: card.excerpt, dir: "auto"}),
    !moved && make("p", {class: "why", text: `${card.author} · ${card.why}`}),
    ...card.under.map(buildNote),
    buildReactions(room, card, moved));
}

function buildNote(note) {
  return make("div", {class: `note ${note.kind}${fresh(note)}`},
    note.title && make("p", {class: "why", text: note.title}),
    make("p", {class: "excerpt", text: note.text ?? "", dir: "auto"}),
    ...(note.reasons ?? []).map((reason) => make("p", {class: "why", text: reason})));
}

function buildReactions(room, card, moved) {
  const shown = card.reactions.filter((reaction) => !moved || reaction.count > 0);
  const buttons = shown.map((reaction, position) => {
    const meaning = !reaction.label ? "" : reaction.confirms ? `: ${reaction.label} is right` : `: move to ${reaction.label}`;
    return make("button", {
      type: "button", class: "reaction", tabindex: position === 0 ? 0 : -1, "aria-pressed": String(reaction.mine),
      "aria-label": `${reaction.mine ? "Take back" : "React with"} ${reaction.emoji}${meaning}`,
      title: `${reaction.mine ? "Take back" : reaction.confirms ? "Right:" : "Move to"} ${reaction.mine ? "" : reaction.label ?? ""}`.trim(),
      "data-focus": `react/${card.key}/${reaction.emoji}`,
      onclick: () => act("/chat/reactions", {ref: {room: room.room, id: card.id}, emoji: reaction.emoji, added: !reaction.mine, actor: "lead"}),
    }, make("span", {class: "emoji", text: pictured(reaction.emoji)}), moved && make("span", {text: "take back"}));
  });
  if (!buttons.length) return null;
  return make("div", {class: "reactions", role: "toolbar", "aria-label": "Which team? React with its emoji", onkeydown: rove}, ...buttons);
}

function rove(event) {
  const buttons = [...event.currentTarget.children];
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
  const ends = {Home: 0, End: buttons.length - 1};
  const here = buttons.indexOf(document.activeElement);
  const next = event.key in ends ? ends[event.key] : event.key in steps ? (here + steps[event.key] + buttons.length) % buttons.length : null;
  if (next === null) return;
  event.preventDefault();
  buttons.forEach((button, position) => { button.tabIndex = position === next ? 0 : -1; });
  buttons[next].focus();
}

// --- learning ---

function showLearning(learning) {
  const phases = {
    requested: "A lesson is about to begin…",
    training: `Training ${learning.candidate ?? "a new adapter"} from the corrections…`,
    scoring: `Asking ${learning.candidate ?? "the candidate"} about messages it has never seen…`,
  };
  const running = learning.phase in phases;
  byId("serving").textContent = learning.adapter ?? "No adapter";
  byId("waiting").textContent = learning.waiting === 1 ? "1 correction to learn" : `${learning.waiting} corrections to learn`;
  byId("waiting").hidden = !learning.waiting;
  byId("learn").setAttribute("aria-disabled", String(running));
  byId("learn").textContent = running ? "Learning…" : "Learn now";
  byId("lesson").hidden = learning.phase === null;
  byId("lesson").className = `lesson ${running ? "running" : learning.promoted ? "promoted" : "kept"}`;
  byId("lesson-text").textContent = running ? phases[learning.phase] : learning.verdict;
  const bar = byId("lesson-progress");
  bar.hidden = !running;
  if (learning.phase === "requested") bar.removeAttribute("value");
  else bar.value = learning.progress;
}

// --- the three steps ---

function showSteps() {
  const lines = state.people.flatMap((room) => room.threads.flatMap((thread) => thread.lines));
  const cards = state.teams.flatMap((room) => room.cards).filter((card) => card.kind === "card");
  const corrected = cards.filter((card) => card.by === "lead" && !card.moved).sort((a, b) => b.at - a.at)[0];
  const done = [lines.length > 0, cards.some((card) => card.moved || card.by === "lead"), cards.some((card) => card.by === "memory")];
  done.forEach((yes, position) => byId(`step-${position + 1}`).classList.toggle("done", yes));
  const current = done.indexOf(false);
  done.forEach((_, position) => byId(`step-${position + 1}`).classList.toggle("current", position === current));
  const first = state.examples.length ? state.examples : [FIRST_WORDS];
  patch(byId("chips-1"), first.map((text) => ({key: text})), buildChip);
  byId("detail-3").hidden = Boolean(corrected);
  patch(byId("chips-3"), corrected ? [{key: `Hello again! ${corrected.excerpt.slice(0, 90)}`}] : [], buildChip);
}

function buildChip({key}) {
  return make("button", {type: "button", class: "chip", text: key, "data-focus": `chip/${key}`, onclick: () => {
    const box = byId("room-customer").querySelector("textarea");
    box.value = key;
    go("room-customer");
    send("customer", box);
  }});
}

function showHint(shown) {
  byId("hint").hidden = !shown;
  byId("help").setAttribute("aria-expanded", String(shown));
  try { localStorage.setItem("hint", shown ? "shown" : "hidden"); } catch { /* private windows forget, and that is fine */ }
}

function wantsHint() {
  try { return localStorage.getItem("hint") !== "hidden"; } catch { return true; }
}

// --- one column at a time on a narrow screen ---

function go(id) {
  byId(id).scrollIntoView({block: "nearest", inline: "start"});
}

function showTabs() {
  const panels = [...state.people.map((room) => ({key: `room-${room.room}`, name: room.name})), {key: "teams", name: "Teams"}];
  patch(byId("tabs"), panels, (panel) => make("button", {type: "button", text: panel.name, "data-focus": `tab/${panel.key}`, onclick: () => go(panel.key)}));
}

function markTab() {
  const middle = (node) => node.getBoundingClientRect().left + node.getBoundingClientRect().width / 2;
  const far = (tab) => Math.abs(middle(byId(tab.dataset.key)) - middle(byId("main")));
  const tabs = [...byId("tabs").children];
  const nearest = tabs.reduce((one, other) => (far(other) < far(one) ? other : one), tabs[0]);
  tabs.forEach((tab) => tab.setAttribute("aria-current", String(tab === nearest)));
}

// --- the whole ---

function render() {
  keepingFocus(() => {
    patch(byId("people"), state.people.map(({room, name}) => ({key: room, room, name})), buildRoom);
    state.people.forEach(showThreads);
    showBoard();
    showLearning(state.learning);
    showSteps();
    showTabs();
    markTab();
  });
  announce();
}

function announce() {
  const rooms = [
    ...state.people.map((room) => ({name: room.name, lines: room.threads.flatMap((thread) => thread.lines)})),
    ...state.teams.map((room) => ({name: room.room, lines: room.cards.flatMap((card) => [card, ...card.under])})),
  ];
  for (const {name, lines} of rooms) {
    for (const line of lines.filter((one) => !seen.has(one.key))) {
      if (seen.size && line.kind !== "person" && document.body.dataset.ready) {
        byId("news").append(make("p", {text: `${name}: ${line.text ?? line.excerpt ?? ""}`}));
      }
    }
  }
  rooms.forEach(({lines}) => lines.forEach((line) => seen.add(line.key)));
  while (byId("news").children.length > 20) byId("news").firstChild.remove();
  document.body.dataset.ready = "yes";
}

let looking = false;
let lookAgain = false;

async function refresh() {
  if (looking) { lookAgain = true; return; }
  looking = true;
  do {
    lookAgain = false;
    try {
      const answer = await fetch("/chat/state");
      if (answer.ok) {
        state = await answer.json();
        clockAhead = state.now - Date.now();
        render();
      } else tell((await answer.json()).problem);
    } catch { connection(false); }
  } while (lookAgain);
  looking = false;
}

async function act(path, body) {
  try {
    const answer = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    const said = await answer.json();
    if (!answer.ok) tell(said.problem);
    refresh();
    return answer.ok;
  } catch {
    tell("Switchboard does not answer. Nothing was sent; please try again.");
    return false;
  }
}

let quietLater = 0;

function tell(text, forGood = false) {
  clearTimeout(quietLater);
  byId("toast").textContent = text;
  byId("toast").hidden = false;
  if (!forGood) quietLater = setTimeout(() => { byId("toast").hidden = true; }, 5_000);
}

let connected = true;

function connection(up) {
  if (up && !connected) tell("Connected again.");
  if (!up && connected) tell("Connection lost. Trying again…", true);
  connected = up;
}

function listen(attempt = 0) {
  const source = new EventSource("/chat/events");
  let watchdog = 0;
  let failures = attempt;
  const again = () => {
    clearTimeout(watchdog);
    source.close();
    connection(false);
    setTimeout(() => listen(failures + 1), RETRIES[Math.min(failures, RETRIES.length - 1)]);
  };
  const alive = () => {
    failures = 0;
    connection(true);
    clearTimeout(watchdog);
    watchdog = setTimeout(again, LOST_AFTER);
  };
  source.addEventListener("changed", () => { alive(); refresh(); });
  source.addEventListener("beat", alive);
  source.addEventListener("error", again);
}

byId("learn").addEventListener("click", () => {
  if (byId("learn").getAttribute("aria-disabled") !== "true") act("/chat/learn", {});
});
byId("help").addEventListener("click", () => showHint(byId("hint").hidden));
byId("hide").addEventListener("click", () => { showHint(false); byId("help").focus(); });
byId("main").addEventListener("scroll", markTab, {passive: true});
addEventListener("resize", () => state && render());
showHint(wantsHint());
listen();
