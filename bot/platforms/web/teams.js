// The rooms of the teams: who they are, and their cards.
import {byId, fresh, make, patch, pictured} from "./draw.js";
import {buildCard, buildStanding, renewCard} from "./card.js";

export function showBoard(teams) {
  // every team keeps its place: a card only pushes down what is below it
  const wide = Math.max(1, Math.floor(byId("board").clientWidth / 285));
  const columns = [...Array(wide).keys()].map((key) => ({key: `${key} of ${wide}`}));
  patch(byId("board"), columns, () => make("div", {class: "column"}));
  [...byId("board").children].forEach((column, place) =>
    patch(
      column,
      teams.filter((_, position) => position % wide === place).map((room) => ({key: room.room, ...room})),
      buildTeam,
      renewTeam,
    ),
  );
}

function buildTeam(room) {
  const node = make(
    "section",
    {"aria-label": room.teams.map((team) => team.name).join(", ")},
    make("div", {class: "team-heads"}),
    make("div", {class: "cards"}),
  );
  renewTeam(node, room);
  return node;
}

function renewTeam(node, room) {
  const [heads, cards] = node.children;
  const live = room.cards.filter((card) => card.kind === "card" && !card.moved && !card.done).length;
  node.className = `team${room.cards.length ? "" : " idle"}`;
  heads.replaceChildren(...room.teams.map((team) => buildHead(team, live)));
  patch(
    cards,
    room.cards.map((card) => ({...card, room: room.room})),
    (card) => (card.kind === "card" ? buildCard(card) : buildStanding(card, fresh(card))),
    (old, card) => (card.kind === "card" ? renewCard(old, card) : old.replaceChildren(...buildStanding(card, "").childNodes)),
  );
}

function buildHead(team, live) {
  return make(
    "div",
    {class: "team-head"},
    make("span", {class: "emoji", "aria-hidden": "true", text: pictured(team.emoji || "•")}),
    make("div", {}, make("h3", {text: team.name}), make("p", {class: "means", text: team.means, title: team.means})),
    live > 0 && make("span", {class: "count", text: String(live), "aria-label": `${live} open`}),
  );
}
