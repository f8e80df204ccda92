// The page's own behaviour: citations, buttons inside HTML, tables, downloads. No library; its only request of its own asks
// the page's address whether the server is still there.
window.iskp = (() => {
  "use strict";
  let trigger = () => {};
  let pending = null; // what to bring into view once the server has sent it
  let wanted = ""; // which source, and from where, is to be read: the pane may still hold another
  let chosen = null; // the card that was followed to last
  let cameFrom = null; // the citation that was followed last

  // An English sentence in the language of the page, with the values in the place of their names.
  let own = null;
  function t(sentence, values = {}) {
    if (!own) { const told = document.querySelector(".masthead[data-words]")?.dataset.words; own = told ? JSON.parse(told) : null; }
    return (own?.[sentence] || sentence).replace(/\{(\w+)\}/g, (name, key) => (key in values ? values[key] : name));
  }

  const kept = (area) => ({ // in a private window nothing is kept
    get: (key) => { try { return area().getItem(key) || ""; } catch { return ""; } },
    set: (key, value) => { try { area().setItem(key, value); } catch { /* private window */ } },
  });
  const store = kept(() => localStorage), session = kept(() => sessionStorage);

  function connect(send, names) {
    trigger = (name, data) => { if (names.includes(name)) send(name, data); };
  }

  // Who asks: a random name that stays in this browser, so that the history is found again after a reload.
  function owner() {
    let name = store.get("iskp-owner");
    if (!name) {
      name = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
      store.set("iskp-owner", name);
    }
    return name;
  }

  // The conversation that is open in this window, for a reload.
  const lastTalk = () => session.get("iskp-talk");
  const openTalk = () => document.querySelector(".history [aria-current]")?.dataset.id || "";
  function noteTalk() {
    if (document.querySelector(".history") && openTalk() !== lastTalk()) session.set("iskp-talk", openTalk());
    noteAddress();
  }

  // Addresses: #/c/CONVERSATION/ANSWER, #/r/LINK/ANSWER and #/n/LINK (what somebody shared), #/s/SOURCE/START-END, #/sources, #/figures/FIGURE, #/evaluation, #/compare,
  // #/ledger/THING/CLAIM, #/draft, #/new. The address follows what is shown, and Back and links lead there again.
  const TABS = ["sources", "notebook", "tools", "figures", "evaluation"], TOOLS = ["compare", "ledger", "draft", "new"];
  let reads = null; // the source in the reader
  let goal = ""; // an address on its way
  let given = location.hash; // what the page was opened with
  const chosenTab = () => document.querySelector('[role="tab"][aria-selected="true"]')?.dataset.tabId || "ask";
  const chosenTool = () => document.querySelector('#tools-tabs [role="tab"][aria-selected="true"]')?.dataset.tabId;
  function here() {
    const at = chosenTab(), tab = at === "tools" ? chosenTool() || at : at;
    if (tab === "notebook" && guestOf("#notebook")) return `#/n/${guestOf("#notebook")}`;
    if (tab !== "ask") return `#/${tab}`;
    if (document.body.dataset.reads && reads) return sourceAddress(reads);
    return talkAddress();
  }
  function talkAddress() {
    if (guestOf("#sharing")) return `#/r/${guestOf("#sharing")}`;
    return openTalk() ? `#/c/${encodeURIComponent(openTalk())}` : "#/";
  }
  // The token under which somebody else's conversation or notebook is open.
  const guestOf = (part) => document.querySelector(`${part} .sharing[data-guest]`)?.dataset.guest || "";
  function sourceAddress(data) {
    const span = data.start && data.end ? `/${data.start}-${data.end}` : "";
    return `#/s/${encodeURIComponent(data.source)}${span}`;
  }
  const within = (address, at) => address === at || (at !== "#/" && address.startsWith(`${at}/`));
  function noteAddress() {
    const at = here(), now = location.hash || "#/";
    if (goal) {
      if (within(goal, at)) goal = "";
      return;
    }
    if (!within(now, at)) history.pushState(null, "", at);
  }
  const chooseTab = (name) => document.querySelector(`[role="tab"][data-tab-id="${name}"]`)?.click();
  // An entry of the ledger, and in it a claim; the ledger may still be made.
  async function openEntry(name, claim) {
    await there("#ledger .ledger");
    const entry = document.getElementById(`entry-${name}`);
    if (!entry) return say("This entry is not in the ledger any more.");
    entry.open = true;
    document.querySelectorAll("#ledger .chosen").forEach((c) => c.classList.remove("chosen"));
    const line = (claim && document.getElementById(`entry-${name}--${claim}`)) || entry.querySelector("summary");
    if (claim) line.classList.add("chosen");
    line.scrollIntoView({ block: claim ? "center" : "start" });
    line.focus({ preventScroll: true });
    return undefined;
  }
  async function route(address) {
    const [, kind = "", id = "", rest = ""] = address.split("/").map((part) => decodeURIComponent(part));
    goal = address || "#/";
    setTimeout(() => { goal = ""; }, 5000); // what is not there any more must not hold the address for ever
    const tool = TOOLS.find((t) => t === kind), tab = tool ? "tools" : kind === "n" ? "notebook" : TABS.find((t) => t === kind) || "ask";
    if (chosenTab() !== tab) chooseTab(tab);
    if (tool) {
      await there('#tools-tabs [role="tab"]');
      if (chosenTool() !== tool) chooseTab(tool);
      if (kind === "ledger" && id) openEntry(id, rest);
      return undefined;
    }
    if (tab === "notebook" && id !== guestOf("#notebook")) {
      await mounted("notebook");
      trigger(id ? "readnotes" : "ownnotes", { link: id });
    }
    if (kind === "figures" && id) return (await there(`#figure-${CSS.escape(id)}-head h2`)).scrollIntoView();
    if (tab !== "ask") return undefined;
    if (kind === "s") {
      const [start = "", end = ""] = rest.split("-");
      return readHere({ source: id, start, end });
    }
    closeReader();
    if (kind === "c" && id !== openTalk()) trigger("recall", { id });
    if (kind === "r" && id !== guestOf("#sharing")) trigger("readshared", { link: id });
    if (!kind && (openTalk() || guestOf("#sharing"))) document.getElementById("new").click();
    if (kind === "r" && !(await soon(() => guestOf("#sharing") === id || shareOf(openTalk()) === id))) return undefined;
    if ((kind === "c" || kind === "r") && rest) {
      const turn = await there(`#turn-${CSS.escape(rest)}`);
      trigger("open", { turn: rest, marker: "0" });
      reveal(document.getElementById("thread-pane"), turn, null, true);
    }
    return undefined;
  }
  addEventListener("popstate", () => { if (greeted) route(location.hash); });
  async function linkTo(button) {
    const turn = button.closest(".turn"), given = button.dataset.link;
    const at = given ? (given.startsWith("#/") ? given : `#/figures/${given}`) : button.closest(".reading") && reads ? sourceAddress(reads)
      : button.closest("#thread, #live, #sharing") ? talkAddress() : here();
    const whole = await shareable(at);
    if (whole) put(`${location.origin}${location.pathname}${whole}${turn && whole !== "#/" ? `/${turn.dataset.turn}` : ""}`, button, t("Link copied."));
  }
  // The token under which others may read a conversation of one's own, or the notebook; empty where there is none.
  const shareOf = (id) => (id && document.querySelector(`.history [data-talk="${CSS.escape(id)}"]`)?.dataset.shared) || "";
  const notesShare = () => document.querySelector("#notebook .sharing[data-shared]")?.dataset.shared || "";
  // The address under which others can open what an address shows. What is one's own is shared only when its owner says so.
  async function shareable(at) {
    const [, kind, id] = at.split("/").map(decodeURIComponent), notes = kind === "notebook";
    if (notes && guestOf("#notebook")) return `#/n/${guestOf("#notebook")}`;
    if (kind !== "c" && !notes) return at;
    const token = () => (notes ? notesShare() : shareOf(id));
    if (!token()) {
      const told = notes ? t("Make a link to this notebook? Who may open this page and has the link can read the whole notebook, and cannot change it. You can take the link back.")
        : t("Make a link to this conversation? Who may open this page and has the link can read the whole conversation, and cannot change it. You can take the link back.");
      if ((await askUser(told, t("Make the link"))) === null) return "";
      trigger(notes ? "sharenotes" : "sharetalk", { id: id || "" });
    }
    const made = await soon(token);
    return made ? `#/${notes ? "n" : "r"}/${made}` : "";
  }
  // What a look gives once it gives something; null after a while.
  function soon(look, patience = 15000) {
    const until = Date.now() + patience;
    return new Promise((done) => {
      const again = () => { const found = look(); if (found || Date.now() > until) done(found || null); else setTimeout(again, 50); };
      again();
    });
  }

  // A part is a card, or the number in it of a citation.
  function choose(part) {
    const card = part.closest(".card") || part;
    const folded = card.closest("details");
    if (folded) folded.open = true;
    document.querySelectorAll(".evidence .chosen").forEach((c) => c.classList.remove("chosen"));
    card.classList.add("chosen");
    chosen = part.id;
    const pane = document.getElementById("evidence-pane"), marker = part.id.split("-")[2];
    const own = marker && card.querySelector(`[data-markers~="${CSS.escape(marker)}"]`);
    const mark = own || card.querySelector("mark, .pointed");
    reveal(pane, card, mark);
    card.focus({ preventScroll: true });
  }

  // Brings a part into view without moving what does not have to move: in its pane where that scrolls, else in the page.
  function reveal(pane, part, mark = null, top = false, room = 8) {
    const own = getComputedStyle(pane).overflowY === "auto";
    const box = own ? pane.getBoundingClientRect() : { top: 0, bottom: innerHeight, height: innerHeight };
    const move = (by) => (own ? pane.scrollBy(0, by) : window.scrollBy(0, by));
    const at = part.getBoundingClientRect();
    if (top || at.top < box.top + room - 8 || at.bottom > box.bottom) move(at.top - box.top - room);
    const words = mark?.getBoundingClientRect();
    // A long passage: the quoted words count, not its beginning.
    if (words && words.bottom > box.bottom) move(words.top - box.top - box.height / 3);
  }

  function follow(link) {
    delete document.body.dataset.reads;
    const id = link.getAttribute("href").slice(1);
    const [, turn, marker] = id.split("-");
    cameFrom = link;
    const card = document.getElementById(id);
    if (card) return choose(card);
    pending = id;
    trigger("open", { turn, marker });
  }

  function showTip(link) {
    hideTip();
    const tip = document.createElement("div");
    tip.id = "tip";
    tip.setAttribute("aria-hidden", "true"); // screen readers hear the link's label
    tip.textContent = link.dataset.tip;
    document.body.append(tip);
    const at = link.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${at.top > tip.offsetHeight + 12 ? at.top - tip.offsetHeight - 6 : at.bottom + 6}px`;
  }
  function hideTip() { document.getElementById("tip")?.remove(); }

  const copy = (button) => put(button.dataset.copy, button, t("Copied with citations."));

  // Text into the clipboard, and a word that it is there.
  async function put(text, button, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // not a secure context
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    say(said);
    if (button.textContent === t("Copied")) return;
    const label = button.textContent;
    button.textContent = t("Copied");
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  function say(text) {
    let voice = document.getElementById("voice");
    if (!voice) {
      voice = document.createElement("div");
      voice.id = "voice";
      voice.className = "visually-hidden";
      voice.setAttribute("role", "status");
      document.body.append(voice);
    }
    voice.textContent = text;
  }

  function download(name, type, text) {
    if (!text) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function save(file) {
    if (!file) return;
    const { name, type, text, base64 } = JSON.parse(file);
    download(name, type, base64 ? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) : text);
  }

  // Asks before something is gone for good; a refusal stops the event.
  async function sure(question, yes, ...data) {
    if ((await askUser(question, yes)) === null) throw new Error("not confirmed");
    return data;
  }

  const sureAll = (talk) => sure(t("Delete all conversations for good?"), t("Delete"), talk);

  // A dialog of the page's own. Resolves to the text typed in it, "" where there is nothing to type, null when cancelled.
  function askUser(question, yes, value) {
    return new Promise((done) => {
      const box = document.createElement("dialog"), form = document.createElement("form"), said = document.createElement("p");
      const row = document.createElement("div"), no = document.createElement("button"), go = document.createElement("button");
      box.className = "ask-user";
      box.setAttribute("aria-label", question);
      form.method = "dialog";
      said.textContent = question;
      form.append(said);
      let input = null;
      if (value !== undefined) {
        input = document.createElement("input");
        input.value = value;
        input.dir = "auto";
        input.setAttribute("aria-label", question);
        form.append(input);
      }
      Object.assign(no, { type: "button", textContent: t("Cancel") });
      Object.assign(go, { type: "submit", textContent: yes });
      go.className = "yes";
      no.addEventListener("click", () => box.close("no"));
      row.append(no, go);
      form.append(row);
      box.append(form);
      form.addEventListener("submit", (event) => { event.preventDefault(); box.close("yes"); });
      box.addEventListener("close", () => { box.remove(); done(box.returnValue === "yes" ? (input?.value ?? "") : null); });
      document.body.append(box);
      box.showModal();
      (input || no).focus();
      input?.select();
    });
  }

  function sortBy(button) {
    const table = button.closest("table"), head = button.closest("th"), column = Number(button.dataset.sort);
    const up = head.getAttribute("aria-sort") !== "ascending";
    const folded = table.matches(".short-of-all") && table.closest(".grid-box").querySelector("[data-all-rows]");
    if (folded) allRows(folded); // the first rows of another order would be others
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    for (const body of table.tBodies) sortRows(body, column, up);
  }

  function sortRows(body, column, up) {
    const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
    const rows = [...body.rows].filter((row) => !row.matches(".group"));
    const words = (row) => row.cells[column].textContent.trim(), none = (row) => ["", "undated"].includes(words(row));
    // "about 2,000 fighters" stands by its figure where every cell has one near its beginning.
    const figure = (row) => Number(/^\D{0,20}(\d[\d,]*(?:\.\d+)?)/.exec(words(row))?.[1].replaceAll(",", "") ?? NaN);
    const counted = rows.filter((row) => !none(row)).every((row) => !Number.isNaN(figure(row)));
    const order = (a, b) => (counted && figure(a) - figure(b)) || collator.compare(words(a), words(b));
    // What has no date stands last in both directions.
    rows.sort((a, b) => none(a) - none(b) || (up ? 1 : -1) * order(a, b));
    body.append(...rows);
  }

  function filter(input) {
    const sheet = input.closest("[data-sheet]");
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of sheet.querySelectorAll("tbody tr:not(.group)")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((w) => text.includes(w));
      if (!row.hidden) shown += 1;
    }
    for (const group of sheet.querySelectorAll("tr.group")) {
      group.hidden = ![...group.parentElement.rows].some((row) => row !== group && !row.hidden);
    }
    const count = sheet.querySelector("[data-count]");
    const unit = count.dataset.count || "row";
    count.textContent = `${shown} ${unit}${shown === 1 ? "" : "s"}`;
    sheet.dataset.filtered = input.value;
  }

  // Resolves once a part of the page is there; parts of a tab come to life when it is first chosen.
  function mounted(id) {
    return new Promise((done) => {
      const look = () => (document.querySelector(`#${id} .html-container`) ? setTimeout(() => done([]), 50) : requestAnimationFrame(look));
      look();
    });
  }

  // Chooses the tab in which a part of the page stands, and waits for the part.
  async function goTo(tab, id) {
    if (document.querySelector(`[role="tab"][data-tab-id="${tab}"]`)?.getAttribute("aria-selected") !== "true") chooseTab(tab);
    await mounted(id);
  }

  async function act(button) {
    const { act: name, sure: question, yes, ...data } = button.dataset;
    if (question && (await askUser(question, yes || t("Remove"))) === null) return;
    if (name === "open") { pending = `turn:${data.turn}`; arrive(); if (!pending) return; }
    const from = button.closest?.("#notebook, #tools-tabs") ? here() : "";
    if (from && (name === "read" || name === "ask")) await goTo("ask", "evidence");
    if (name === "read" && (from || button.closest?.("#panes"))) return readHere(data, from);
    if (name === "read") { await goTo("sources", "reading"); letGo(); pending = "reading"; wanted = `${data.source} ${data.start || ""}`; }
    if (name === "pin") { say(t("Pinned to the notebook.")); button.textContent = t("Pinned"); }
    if (name === "fetch") await goTo("sources", "work");
    if (name === "addsource") await goTo("sources", "source-table");
    if (name === "look" || name === "lookpage") { letGo(); pending = "reader"; wanted = `${data.source} ${data.start || ""}${name === "lookpage" ? ` page${data.page || ""}` : ""}`; }
    trigger(name, data);
    if (name === "read") arrive(); // the same once more changes nothing that could be waited for
    if (name === "edit" || name === "reword" || name === "ask") focusQuestion();
  }

  // The reader: the evidence pane's other state, with the source in full at its passage, so that the answer stays in sight.
  let opener = null;
  const BAR = 72; // pixels that the bar of the reader and some air take
  let origin = ""; // the address of the tab that a source was opened from, for the way back
  function readHere(data, from = "") {
    opener = document.activeElement;
    origin = from;
    letGo();
    document.body.dataset.reads = "yes";
    reads = data;
    pending = "reader";
    wanted = `${data.source} ${data.start || ""}`;
    trigger("look", data);
    arrive();
  }
  function closeReader() {
    if (!document.body.dataset.reads) return;
    delete document.body.dataset.reads;
    if (pending === "reader") pending = null;
    if (origin) { const back = origin; origin = ""; route(back); noteAddress(); return; }
    noteAddress();
    if (!opener?.isConnected || !opener.closest("#panes")) return;
    const card = opener.closest(".card");
    if (card) choose(document.getElementById(chosen) && card.querySelector(`[id="${CSS.escape(chosen)}"]`) || card);
    else reveal(document.getElementById("thread-pane"), opener);
    opener.focus({ preventScroll: true });
  }
  function nextMark(button) {
    const marks = [...button.closest(".reading").querySelectorAll("mark")];
    const at = marks.findIndex((m) => m.matches(".focus")), next = marks[(at + 1) % marks.length];
    marks[at]?.classList.remove("focus");
    next.classList.add("focus");
    reveal(document.getElementById("evidence-pane"), next, null, false, BAR);
  }

  function allRows(button) {
    const open = button.getAttribute("aria-expanded") !== "true", other = button.dataset.other;
    button.closest(".grid-box").querySelector("table").classList.toggle("short-of-all", !open);
    button.setAttribute("aria-expanded", String(open));
    button.dataset.other = button.textContent;
    button.textContent = other;
  }

  // A table as it stands: its rows in their order, its markers as numbers.
  function tableText(button) {
    const cells = (row) => [...row.cells].map((cell) => {
      const copied = cell.cloneNode(true);
      copied.querySelectorAll("a.cite").forEach((a) => a.replaceWith(`[${a.textContent}]`));
      return copied.textContent.replace(/\s+/g, " ").trim();
    });
    const rows = [...button.closest(".grid-box").querySelector("table").rows].map(cells);
    // A spreadsheet must not take a text for a formula.
    const csv = (cell) => `"${(/^[=+\-@]/.test(cell) ? `'${cell}` : cell).replaceAll('"', '""')}"`;
    if (button.dataset.table === "csv") return rows.map((row) => row.map(csv).join(",")).join("\r\n") + "\r\n";
    const line = (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    const references = button.closest(".turn")?.querySelector(".references")?.textContent || "";
    return [line(rows[0]), `|${" --- |".repeat(rows[0].length)}`, ...rows.slice(1).map(line), "", references].join("\n");
  }

  // Files that are dropped anywhere, or chosen on the first screen, are added as on the Sources tab.
  async function addFiles(files) {
    await goTo("sources", "source-table");
    if (!document.querySelector("#files input[type=file]")) trigger("addsource", {});
    const input = await there("#files input[type=file]"), moved = new DataTransfer();
    for (const file of files) moved.items.add(file);
    input.files = moved.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    if (!input.files.length && document.getElementById("upload-refused")) return;
    await there("#files .file-preview tr, #files .file-name, #files table");
    document.getElementById("add-button").click();
  }
  function there(selector) {
    return new Promise((done) => {
      const look = () => { const found = document.querySelector(selector); if (found) done(found); else requestAnimationFrame(look); };
      look();
    });
  }
  function chooseFiles() {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => { if (input.files.length) addFiles([...input.files]); });
    input.click();
  }
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files")
    && document.querySelector(".masthead[data-adds]") && !event.target.closest?.("#files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  for (const name of ["dragleave", "drop", "dragend"]) addEventListener(name, () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    if (!carriesFiles(event) || !event.dataTransfer.files.length) return;
    event.preventDefault();
    addFiles([...event.dataTransfer.files]);
  });

  function focusQuestion() { document.querySelector("#question textarea")?.focus(); }

  async function rename(button) {
    const title = await askUser(t("New name for this conversation"), t("Rename"), button.dataset.title);
    if (title && title.trim()) trigger("rename", { id: button.dataset.rename, title: title.trim() });
  }

  document.addEventListener("click", (event) => {
    const inside = event.target.closest?.("#tools-tabs a[href^='#']:not([href^='#/'])");
    if (inside) { // a note below; the address is not its
      event.preventDefault();
      const note = document.getElementById(inside.getAttribute("href").slice(1));
      note?.scrollIntoView({ block: "center" });
      return note?.focus({ preventScroll: true });
    }
    const target = event.target.closest?.("a.cite, a.spot, [data-table], [data-choose-files], [data-close-reader], [data-own], [data-link], [data-next-mark], [data-act], [data-copy], [data-sort], [data-back], [data-rename], [data-more], [data-all-rows], #new, #flip");
    if (!target) return;
    if (target.matches("a.cite, a.spot")) { event.preventDefault(); hideTip(); follow(target); }
    else if (target.dataset.act) act(target);
    else if (target.dataset.copy) copy(target);
    else if ("link" in target.dataset) linkTo(target);
    else if ("own" in target.dataset) { document.getElementById("new").click(); focusQuestion(); }
    else if ("closeReader" in target.dataset) closeReader();
    else if ("nextMark" in target.dataset) nextMark(target);
    else if ("chooseFiles" in target.dataset) chooseFiles();
    else if (target.dataset.table) put(tableText(target), target, t("Table copied."));
    else if (target.dataset.sort) sortBy(target);
    else if (target.dataset.rename) rename(target);
    else if (target.dataset.back) goBack(target.dataset.back);
    else if (target.hasAttribute("data-more")) unfold(target);
    else if ("allRows" in target.dataset) allRows(target);
    else if (target.id === "new") focusQuestion();
    else if (target.id === "flip") flip();
  });
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-find]")) filter(event.target); });
  document.addEventListener("mouseover", (event) => {
    const link = event.target.closest?.("[data-tip]");
    if (link) showTip(link);
  });
  document.addEventListener("mouseout", (event) => { if (event.target.closest?.("[data-tip]")) hideTip(); });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[data-tip]:focus-visible")) showTip(event.target); else hideTip();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hideTip();
      if (event.target.closest?.("#reader")) return closeReader();
      const card = event.target.closest?.(".evidence .card");
      if (card?.id) goBack(card.id);
    }
    if (event.key === "/" && !event.target.matches("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      focusQuestion();
    }
  });

  function goBack(id) {
    const card = document.getElementById(id)?.closest(".card");
    const inCard = cameFrom?.isConnected && document.getElementById(cameFrom.getAttribute("href").slice(1))?.closest(".card") === card;
    const link = card && inCard ? cameFrom
      : document.querySelector(`.thread a.cite[href="#${CSS.escape(id)}"]`);
    if (!link) return;
    const folded = link.closest(".short-of-all .beyond")?.closest(".grid-box").querySelector("[data-all-rows]");
    if (folded) allRows(folded);
    reveal(document.getElementById("thread-pane"), link);
    link.focus({ preventScroll: true });
  }

  // Gradio sets the class by the system's theme once its script is there; what the reader chose goes before that.
  function dark() {
    const kept = store.get("iskp-dark"), has = document.body.classList.contains("dark");
    const on = kept ? kept === "1" : has;
    if (on !== has) document.body.classList.toggle("dark", on);
    document.getElementById("flip")?.setAttribute("aria-pressed", String(on));
  }
  async function isDark(id) { await mounted(id); return [document.body.classList.contains("dark") ? "dark" : "light"]; }
  function flip() {
    store.set("iskp-dark", document.body.classList.contains("dark") ? "0" : "1");
    dark();
  }

  // The words stay in view until the tab has settled, or the reader moves.
  let held = 0;
  function letGo() {
    if (!held) return;
    clearTimeout(held);
    held = 0;
    pending = null;
  }
  for (const moved of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(moved, letGo, { capture: true, passive: true });

  // Whether a text is the one that is wanted; as a page, any page where none was named.
  function shows(text, sought) {
    const at = `${text.dataset.source} ${text.dataset.start}`, view = text.dataset.view || "";
    return sought === (view ? `${at} ${view}` : at) || (view !== "" && sought === `${at} page`);
  }
  // What waits for the server's HTML: a card, the pane, the source that is read.
  function arrive() {
    if (!pending) return;
    if (pending.startsWith("turn:")) {
      const pane = document.querySelector(`.evidence[data-turn="${CSS.escape(pending.slice(5))}"]`);
      if (pane) { pending = null; choose(pane.querySelector(".card") || pane); }
    } else if (pending === "reading" || pending === "reader") {
      const text = document.querySelector(`#${pending} .reading`), pane = document.getElementById(pending === "reader" ? "evidence-pane" : "reading");
      if (!text?.offsetParent || !shows(text, wanted)) return;
      const mark = text.querySelector("mark.focus") || text.querySelector("mark");
      if (!held) {
        text.focus({ preventScroll: true });
        pane.scrollTop = 0;
        if (pending === "reader" && getComputedStyle(pane).overflowY !== "auto") text.scrollIntoView({ block: "start" });
        held = setTimeout(letGo, 1500); // tables above may still come and push the words away
      }
      reveal(pane, mark || text, null, false, pending === "reader" && mark ? BAR : 8);
      if (pending === "reading") mark?.scrollIntoView({ block: "nearest" }); // the pane itself may begin low in the window
    } else {
      const card = document.getElementById(pending);
      if (card) { pending = null; choose(card); }
    }
  }

  // A new question comes to the top of its pane; while its answer grows, nothing moves.
  let newest = null;
  function keepUp() {
    const last = document.querySelector("#live .turn");
    const id = last ? last.id : null;
    if (id === newest) return;
    const more = Number(id?.split("-")[1] || 0) > Number(newest?.split("-")[1] || 0);
    newest = id;
    const pane = document.getElementById("thread-pane");
    if (last && more) { delete document.body.dataset.reads; reveal(pane, last, null, true); }
  }

  function pointed(plot) {
    if (plot.dataset.listens || !plot.on) return;
    plot.dataset.listens = "yes";
    plot.on("plotly_click", (event) => {
      const where = event.points?.[0]?.customdata;
      if (!where?.[1]) return; // customdata: key, source, start, end
      act({ dataset: { act: "read", source: where[1], start: where[2] ?? "", end: where[3] ?? "" } });
    });
  }

  let greeted = false; // until the server has answered the first time, the list tells nothing
  let due = false;
  new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      arrive();
      keepUp();
      // New HTML of the pane knows nothing of what was chosen in it.
      if (chosen && !document.querySelector(".evidence .chosen")) document.getElementById(chosen)?.closest(".card")?.classList.add("chosen");
      if (greeted) { noteTalk(); settle(); }
      document.querySelectorAll(".js-plotly-plot").forEach(pointed);
      tidyUp();
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Names that the framework's components lack for screen readers.
  function tidyUp() {
    dark();
    document.documentElement.lang ||= "en";
    document.querySelector("#bridge")?.setAttribute("aria-hidden", "true");
    sidebar();
    days();
    sheets();
    ticks();
    picks();
    // Right-to-left scripts are typed and read from their side.
    for (const box of document.querySelectorAll("textarea:not([dir=auto])")) box.dir = "auto";
  }

  addEventListener("DOMContentLoaded", () => {
    dark();
    new MutationObserver(dark).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });

  // What is typed, kept filters, the list of conversations, a server that is gone

  const LONGEST = 2000; // characters of a question
  const box = () => document.querySelector("#question textarea");

  function type(words) {
    const area = box();
    if (!area) return;
    area.value = words;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  // The question is on its way: the box is free at once, so that what is typed next is not wiped by the answer.
  function sent(all) {
    const words = String(all[0] || "").trim();
    if (words) { type(""); session.set("iskp-asked", words); document.getElementById("cut-off")?.remove(); }
    return all;
  }
  // A question stays noted until its turn is settled: what was under way when the page was loaded anew is not lost.
  function settle() {
    const words = session.get("iskp-asked");
    const asked = document.querySelector("#live .turn[aria-busy=false] .asked")?.textContent.trim();
    if (words && asked === words) session.set("iskp-asked", "");
  }
  function cutOff() {
    const words = session.get("iskp-asked");
    session.set("iskp-asked", "");
    if (!words || box()?.value.trim() === words) return; // the server may have refused it and put it back
    if (box() && !box().value) type(words);
    const told = document.createElement("p");
    told.id = "cut-off";
    told.setAttribute("role", "status");
    told.textContent = t("The page was loaded anew before this was answered: “{words}”. Ask it again.", { words });
    document.getElementById("box")?.before(told);
  }
  function measure(area) {
    let told = document.getElementById("too-long");
    const count = [...area.value].length;
    if (count <= LONGEST * 0.9) { told?.remove(); return; }
    if (!told) {
      told = document.createElement("p");
      told.id = "too-long";
      told.setAttribute("role", "status");
      document.getElementById("box")?.before(told);
    }
    told.textContent = t(count > LONGEST ? "{count} of {most} characters: ask it shorter, nothing is cut." : "{count} of {most} characters",
      { count: count.toLocaleString("en"), most: LONGEST.toLocaleString("en") });
  }
  document.addEventListener("input", (event) => {
    if (event.target !== box()) return;
    session.set("iskp-draft", event.target.value);
    measure(event.target);
  });
  // Boxes of a choice of its own, which stays when the list comes anew.
  const picked = {};
  const picksOf = (id) => (picked[id] ||= new Set());
  const chosenIds = (id) => JSON.stringify([...picksOf(id)]);
  function picks() {
    for (const box of document.querySelectorAll("[data-choose]:not([data-seen])")) {
      box.dataset.seen = "yes";
      box.checked = picksOf(box.closest("[id$='-scope']").id).has(box.dataset.choose);
    }
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-choose]")) return;
    const set = picksOf(event.target.closest("[id$='-scope']").id);
    if (event.target.checked) set.add(event.target.dataset.choose); else set.delete(event.target.dataset.choose);
  });
  // The ledger's entries by words, and by whether they are disputed.
  function entries() {
    const list = document.querySelector("#ledger .ledger");
    const words = (list.querySelector("[data-find-entry]")?.value || "").toLowerCase().split(/\s+/).filter(Boolean);
    const disputed = list.querySelector("[data-only-disputed]")?.checked;
    for (const entry of list.querySelectorAll(".entry")) {
      const text = entry.textContent.toLowerCase();
      entry.hidden = (disputed && entry.dataset.state !== "disputed") || !words.every((w) => text.includes(w));
    }
  }
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-find-entry], [data-only-disputed]")) entries(); });
  // The boxes beside the sources follow the filter, and set it.
  let scoped = null;
  function ticks() {
    const told = document.querySelector("#filters-on [data-sources]")?.dataset.sources || "[]";
    const list = document.querySelector("#scope .scope");
    if (!list || (told === scoped && list.dataset.told === told)) return;
    scoped = list.dataset.told = told;
    const chosen = new Set(JSON.parse(told));
    for (const box of list.querySelectorAll("[data-scope]")) box.checked = chosen.has(box.dataset.scope);
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-scope]")) return;
    const ids = [...document.querySelectorAll("[data-scope]:checked")].map((b) => b.dataset.scope);
    trigger("scope", { ids: JSON.stringify(ids) });
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-scope-find]")) return;
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of event.target.closest(".scope").querySelectorAll("li")) {
      item.hidden = !words.every((w) => item.textContent.toLowerCase().includes(w));
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-note]")) trigger("writenote", { id: event.target.dataset.note, text: event.target.value });
  });
  addEventListener("pagehide", () => { if (box()) session.set("iskp-draft", box().value); });

  let restored = false;
  function keptFilters() { restored = true; return [session.get("iskp-filters")]; }
  function keepFilters(chosen) {
    if (restored) session.set("iskp-filters", JSON.stringify(chosen.slice(0, 4)));
    return chosen;
  }

  // A file that is too large is told before it is sent.
  document.addEventListener("change", (event) => {
    const limits = document.getElementById("upload-limits")?.dataset;
    if (!limits || !event.target.matches?.("#files input[type=file]")) return;
    const files = [...event.target.files], large = files.filter((f) => f.size > Number(limits.bytes));
    const many = files.length > Number(limits.files);
    document.getElementById("upload-refused")?.remove();
    if (!many && !large.length) return;
    event.stopImmediatePropagation();
    event.target.value = "";
    const told = document.createElement("p");
    told.id = "upload-refused";
    told.className = "trouble";
    told.setAttribute("role", "alert");
    told.textContent = many ? `${files.length} files are too many at once; choose at most ${limits.files}.`
      : `${large.map((f) => `${f.name} (${(f.size / 1e6).toFixed(1)} MB)`).join(", ")}: a file may have `
        + `${(Number(limits.bytes) / 1e6).toFixed(0)} MB. Split it, or save its text only; nothing was sent.`;
    document.getElementById("upload-limits").after(told);
  }, true);

  function unfold(button) {
    const whole = button.previousElementSibling.classList.toggle("whole");
    button.textContent = whole ? t("Show less") : t("Show the whole question");
    button.setAttribute("aria-expanded", String(whole));
  }

  // What lies outside the window is not reached with the keyboard.
  function sidebar() {
    const side = document.querySelector(".sidebar"), button = side?.querySelector(".toggle-button");
    if (!button) return;
    if (!side.dataset.watched) {
      side.dataset.watched = "yes";
      new MutationObserver(sidebar).observe(side, { attributes: true, attributeFilter: ["class"] });
    }
    const open = side.classList.contains("open");
    for (const part of side.children) if (!part.contains(button)) part.inert = !open;
    const named = open ? t("Hide the conversations") : t("Show the conversations");
    if (button.getAttribute("aria-label") !== named) {
      button.setAttribute("aria-label", named);
      button.title = named;
      button.setAttribute("aria-expanded", String(open));
    }
  }

  function days() {
    const list = document.querySelector(".history ul:not([data-dated])");
    if (!list || (document.documentElement.lang !== "en" && !document.querySelector(".masthead[data-words]"))) return;
    list.dataset.dated = "yes";
    const day = (at) => at.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    const near = { [day(new Date())]: t("Today"), [day(new Date(Date.now() - 864e5))]: t("Yesterday") };
    let last = null;
    for (const time of list.querySelectorAll("time")) {
      const at = new Date(time.dateTime), name = near[day(at)] || day(at);
      time.textContent = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
      time.title = at.toLocaleString();
      if (name === last) continue;
      last = name;
      const head = document.createElement("li");
      head.className = "day";
      head.textContent = name;
      time.closest("li").before(head);
    }
  }

  // A table that came anew: what is typed above it still holds, and what is new in it comes into view.
  function sheets() {
    for (const input of document.querySelectorAll("[data-find]")) {
      if ((input.closest("[data-sheet]").dataset.filtered || "") !== input.value) filter(input);
    }
    const fresh = document.querySelector("tr.new:not([data-seen])");
    if (!fresh?.offsetParent) return;
    document.querySelectorAll("tr.new").forEach((row) => { row.dataset.seen = "yes"; });
    fresh.cells[0].scrollIntoView({ block: "center", inline: "nearest" });
  }

  // Whether the server is still there, and the same one: another process behind the address knows nothing of this
  // visit, so the page is loaded anew, which brings the conversation back. Gradio looks only where a connection breaks.
  const port = location.port && location.port !== "7860" ? ` --port ${location.port}` : "";
  const APART = 60_000; // ms between two such loads: behind a proxy that sends each request elsewhere they would not end
  let lost = null;
  async function look() {
    if (document.hidden) return;
    let there = false, process = null;
    try {
      const told = await fetch(new URL("gradio_api/app_id", location.origin + location.pathname), { cache: "no-store" });
      there = told.status < 500;
      if (told.ok) process = (await told.json()).app_id;
    } catch { /* nobody answers */ }
    const other = process !== null && greeted && process !== window.gradio_config?.app_id;
    if (other && !document.querySelector("#live .turn[aria-busy=true]") && Date.now() - Number(session.get("iskp-anew") || 0) > APART) {
      session.set("iskp-anew", String(Date.now()));
      location.reload();
      return;
    }
    if (there) { lost?.remove(); lost = null; return; }
    if (lost) return;
    lost = document.createElement("p");
    lost.id = "lost";
    lost.setAttribute("role", "alert");
    lost.textContent = t("The server of this page has stopped. Start it again in a terminal with: iskp chat{port} – what you typed stays here.", { port });
    document.body.prepend(lost);
  }
  setInterval(look, 5000);

  const addressed = () => { const parts = given.split("/"); const id = decodeURIComponent(parts[2] || ""); return parts[1] === "c" ? id : parts[1] === "r" ? `r:${id}` : ""; };
  const greet = () => [owner(), addressed() || lastTalk(), null];
  const welcomed = () => { greeted = true; document.documentElement.dataset.greeted = "yes"; if (box() && !box().value) type(session.get("iskp-draft")); cutOff(); if (given && given !== "#/") { route(given); given = ""; } return []; };

  return { sureAll, sent, chosen: chosenIds, keepFilters, keptFilters, greet, welcomed, connect, owner, lastTalk, mounted, isDark, save, sure, download, say, focusQuestion };
})();
