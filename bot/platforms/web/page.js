// The local chat: reads the state from the server and shows it; every text is inserted as text.
import {byId, keepingFocus, make, patch, seen} from "./draw.js";
import {buildRoom, showThreads, toEnd} from "./people.js";
import {offerSteps, showSteps} from "./steps.js";
import {showBoard} from "./teams.js";
import {act, connection, listen, tell} from "./wire.js";

let state = null;
let clockAhead = 0;

// --- the whole ---

function render() {
  keepingFocus(() => {
    patch(
      byId("people"),
      state.people.map(({room, name}) => ({key: room, room, name})),
      buildRoom,
    );
    state.people.forEach((room) => showThreads(room, Date.now() + clockAhead, render));
    showBoard(state.teams);
    showLearning(state.learning);
    showSteps(state, go);
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
    for (const line of lines) {
      const words = spoken(line);
      if (words && seen.get(line.key) !== words && document.body.dataset.ready)
        byId("news").append(make("p", {text: `${name}: ${words}`}));
      seen.set(line.key, words);
    }
  }
  while (byId("news").children.length > 20) byId("news").firstChild.remove();
  document.body.dataset.ready = "yes";
}

// The part of a new or changed line that is read out; nothing for lines that people wrote here themselves.
function spoken(line) {
  if (line.kind === "person" || line.kind === "note") return "";
  if (line.kind === "card") return [line.moved ?? line.mark, ...line.marks, line.excerpt].join(". ");
  return [line.title, line.text].filter(Boolean).join(" ");
}

let looking = false;
let lookAgain = false;

async function refresh() {
  if (looking) {
    lookAgain = true;
    return;
  }
  looking = true;
  do {
    lookAgain = false;
    try {
      const answer = await fetch("chat/state");
      if (answer.ok) {
        state = await answer.json();
        clockAhead = state.now - Date.now();
        render();
      } else tell((await answer.json()).problem);
    } catch {
      connection(false);
    }
  } while (lookAgain);
  looking = false;
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
  byId("waiting").textContent =
    learning.waiting === 1 ? "1 correction to learn" : `${learning.waiting} corrections to learn`;
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

// --- one column at a time on a narrow screen ---

function go(id) {
  byId(id).scrollIntoView({block: "nearest", inline: "start"});
}

function showTabs() {
  const panels = [
    ...state.people.map((room) => ({key: `room-${room.room}`, name: room.name})),
    {key: "teams", name: "Teams"},
  ];
  patch(byId("tabs"), panels, (panel) =>
    make("button", {type: "button", text: panel.name, "data-focus": `tab/${panel.key}`, onclick: () => go(panel.key)}),
  );
}

function markTab() {
  const middle = (node) => node.getBoundingClientRect().left + node.getBoundingClientRect().width / 2;
  const far = (tab) => Math.abs(middle(byId(tab.dataset.key)) - middle(byId("main")));
  const tabs = [...byId("tabs").children];
  const nearest = tabs.reduce((one, other) => (far(other) < far(one) ? other : one), tabs[0]);
  tabs.forEach((tab) => tab.setAttribute("aria-current", String(tab === nearest)));
}

// --- start ---

byId("learn").addEventListener("click", () => {
  if (byId("learn").getAttribute("aria-disabled") !== "true") act("chat/learn", {});
});
byId("main").addEventListener("scroll", markTab, {passive: true});
addEventListener("resize", () => {
  if (state) render();
  document.querySelectorAll(".threads").forEach(toEnd);
});
offerSteps();
listen(refresh);
