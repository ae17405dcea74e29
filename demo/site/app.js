// The page: choose who you are, choose a document, see the image or the reason why not.
import { people, Visitor } from "./people.js";
import { Stage } from "./viewer.js";

const byId = (id) => document.getElementById(id);
const stage = new Stage(byId("viewer"), byId("plain"));

let tokens = {};
let dossiers = [];
let visitor = new Visitor(people[0], tokens);
let chosen = null; // the document on the stage
let page = 1;
let browsing = new AbortController(); // ends the questions of the list
let showing = new AbortController(); // ends the questions of the stage

/** The base of an image's addresses: version 3 of the Image API, and the page where it is not the first. */
function imageBase(item, number = 1) {
  return `/iiif/3/${encodeURIComponent(item.identifier)}${number > 1 ? `;p=${number}` : ""}`;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function badge(text, kind) {
  return element("span", { className: `badge ${kind}`, textContent: text });
}

// --- who ---

function listPeople() {
  for (const person of people) {
    const input = element("input", { type: "radio", name: "person", value: person.key });
    input.addEventListener("change", () => become(person));
    const words = element("span", {}, person.name, element("small", { textContent: person.note }));
    byId("people").append(element("label", {}, input, words));
  }
}

function become(person) {
  visitor = new Visitor(person, tokens);
  document.querySelector(`input[value="${person.key}"]`).checked = true;
  remember();
  browse();
  if (chosen) {
    show();
  }
}

// --- the list ---

function listDossiers() {
  for (const dossier of dossiers) {
    const items = dossier.items.map((item) => element("li", {}, card(item, dossier)));
    const restricted = dossier.access !== "PUBLIC" ? [badge("restricted dossier", "bad")] : [];
    const source = dossier.source === "wabo" ? [badge("wabo: not by mail login", "note")] : [];
    byId("list").append(element("section", { className: "dossier" },
      element("h3", { textContent: dossier.title }),
      element("p", { className: "hint" }, `Dossier ${dossier.number} `, ...restricted, ...source),
      element("ul", {}, ...items)));
  }
}

function card(item, dossier) {
  item.thumb = element("span", { className: "thumb" });
  item.verdict = element("span", { className: "verdict" });
  const marks = element("span", { className: "badges" },
    item.access === "PUBLIC" ? badge("public", "good") : badge("restricted", "bad"),
    item.copyright ? badge("copyright", "note") : badge("no copyright", ""));
  item.card = element("button", { type: "button", className: "card" },
    item.thumb,
    element("span", {},
      element("strong", { textContent: item.description }),
      element("span", { className: "hint", textContent: item.kind }), marks, item.verdict));
  item.dossier = dossier;
  item.card.addEventListener("click", () => choose(item));
  return item.card;
}

/** Asks for a small image of each document, as the visitor. */
async function browse() {
  browsing.abort();
  browsing = new AbortController();
  const { signal } = browsing;
  const items = dossiers.flatMap((dossier) => dossier.items);
  byId("summary").textContent = "Asking for each document…";
  const answers = await Promise.all(items.map((item) => glance(item, signal)));
  if (signal.aborted) {
    return;
  }
  const seen = answers.filter(Boolean).length;
  byId("summary").textContent = `${visitor.person.name}: ${seen} of ${items.length} documents may be seen.`;
}

async function glance(item, signal) {
  let denied = false;
  try {
    const { response } = await visitor.ask(`${imageBase(item)}/full/!240,240/0/default.jpg`, signal);
    if (response.ok) {
      const image = element("img", { alt: "", src: URL.createObjectURL(await response.blob()) });
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      item.thumb.replaceChildren(image);
      item.verdict.className = "verdict yes";
      item.verdict.textContent = "You may see this";
      return true;
    }
    item.verdict.textContent = await response.text();
    denied = isDenial(response);
  } catch (problem) {
    if (signal.aborted) {
      return false;
    }
    item.verdict.textContent = `No answer: ${problem.message}`;
  }
  item.thumb.replaceChildren(denied ? lock() : "?");
  item.verdict.className = "verdict no";
  return false;
}

function lock() {
  const drawn = byId("lock").cloneNode(true);
  drawn.removeAttribute("id");
  drawn.removeAttribute("hidden");
  return drawn;
}

// --- the stage ---

function choose(item, number = 1) {
  chosen = item;
  page = number;
  for (const other of dossiers.flatMap((dossier) => dossier.items)) {
    other.card.setAttribute("aria-current", String(other === item));
  }
  remember();
  show();
}

async function show() {
  showing.abort();
  showing = new AbortController();
  const { signal } = showing;
  stage.clear();
  byId("empty").hidden = true;
  byId("refusal").hidden = true;
  byId("stage-title").textContent = chosen.description;
  byId("stage-note").textContent = chosen.kind;
  byId("pages").hidden = chosen.pages < 2;
  byId("page").textContent = `Page ${page} of ${chosen.pages}`;
  byId("previous").disabled = page <= 1;
  byId("next").disabled = page >= chosen.pages;
  byId("tools").hidden = true;
  try {
    const { response, shown } = await visitor.ask(`${imageBase(chosen, page)}/info.json`, signal);
    if (!response.ok) {
      const reason = await response.text();
      tell(shown, response, reason);
      refuse(response, reason);
      return;
    }
    const info = await response.json();
    tell(shown, response, `an image of ${info.width} x ${info.height} pixels`);
    await stage.show(info, visitor, chosen.description, signal);
    byId("tools").hidden = false;
    byId("announcement").textContent = `${chosen.description} is shown, ${info.width} by ${info.height} pixels.`;
  } catch (problem) {
    if (!signal.aborted) {
      refuse({ status: "No answer", statusText: "" }, problem.message);
    }
  }
}

/** A decision against the visitor, as opposed to something that went wrong. */
function isDenial(response) {
  return response.status === 401 || response.status === 403;
}

/** Shows the server's own words. */
function refuse(response, reason) {
  byId("refusal-status").textContent = `${response.status} ${response.statusText}`.trim();
  byId("reason").textContent = reason;
  byId("lock").toggleAttribute("hidden", !isDenial(response));
  byId("refusal-hint").textContent = isDenial(response) ? hint() : "";
  byId("refusal").hidden = false;
  byId("announcement").textContent = `Refused: ${reason}`;
}

function hint() {
  if (visitor.person.key === "nobody") {
    return "Even public documents are only shown to somebody who has logged in. Be a citizen, above.";
  }
  if (visitor.person.key === "citizen" && chosen.dossier.source === "wabo") {
    return "Dossiers of the permit system are for civil servants.";
  }
  if (chosen.access !== "PUBLIC" || chosen.dossier.access !== "PUBLIC") {
    return "Restricted documents are for civil servants with special rights.";
  }
  return chosen.copyright ? "Documents with copyright are for civil servants." : "";
}

/** Writes down the last exchange with the server, for the curious. */
function tell(shown, response, summary) {
  const rows = [
    ["Request", `GET ${shown}`],
    ["Credential", visitor.token ? (visitor.person.key === "citizen" ? "?auth= (mail login)" : "Authorization: Bearer") : "none"],
    ["Status", `${response.status} ${response.statusText}`],
    ["Answer", summary],
    ["Cache-Control", response.headers.get("Cache-Control") ?? "none"],
  ];
  byId("exchange").replaceChildren(...rows.flatMap(([term, text]) => [element("dt", { textContent: term }), element("dd", { textContent: text })]));
}

/** Saves the untouched file, or shows why not. */
async function saveOriginal() {
  const item = chosen;
  const { response, shown } = await visitor.ask(`/iiif/2/${encodeURIComponent(item.identifier)}?source_file=true`);
  if (!response.ok) {
    const reason = await response.text();
    tell(shown, response, reason);
    refuse(response, reason);
    return;
  }
  tell(shown, response, `the original, ${response.headers.get("Content-Length") ?? "?"} bytes of ${response.headers.get("Content-Type")}`);
  const link = element("a", { href: URL.createObjectURL(await response.blob()), download: item.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// --- the address ---

/** Keeps the choice in the address: #person/identifier/page. */
function remember() {
  const parts = [visitor.person.key];
  if (chosen) {
    parts.push(encodeURIComponent(chosen.identifier), page);
  }
  history.replaceState(null, "", `#${parts.join("/")}`);
}

function recall() {
  const [key, identifier, number] = location.hash.slice(1).split("/");
  const person = people.find((candidate) => candidate.key === key) ?? people[1];
  const wanted = identifier && decodeURIComponent(identifier);
  const item = dossiers.flatMap((dossier) => dossier.items).find((candidate) => candidate.identifier === wanted);
  chosen = null;
  become(person);
  if (item) {
    choose(item, Math.min(item.pages, Math.max(1, Number.parseInt(number, 10) || 1)));
  }
}

async function start() {
  const [tokenAnswer, catalogAnswer] = await Promise.all([fetch("/made/tokens.json"), fetch("/made/catalog.json")]);
  tokens = await tokenAnswer.json();
  dossiers = await catalogAnswer.json();
  listPeople();
  listDossiers();
  byId("previous").addEventListener("click", () => choose(chosen, page - 1));
  byId("next").addEventListener("click", () => choose(chosen, page + 1));
  byId("zoom-in").addEventListener("click", () => stage.zoom(1.6));
  byId("zoom-out").addEventListener("click", () => stage.zoom(1 / 1.6));
  byId("whole").addEventListener("click", () => stage.whole());
  byId("original").addEventListener("click", saveOriginal);
  addEventListener("hashchange", recall);
  recall();
}

start();
