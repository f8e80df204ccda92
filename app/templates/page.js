// The page's own behaviour: citations, buttons inside HTML, tables, downloads. No library, no request of its own.
window.iskp = (() => {
  "use strict";
  let trigger = () => {};
  let pending = null; // what to bring into view once the server has sent it
  let chosen = null; // the card that was followed to last
  let cameFrom = null; // the citation that was followed last

  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window: nothing is kept */ } },
  };

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
  function lastTalk() { try { return sessionStorage.getItem("iskp-talk") || ""; } catch { return ""; } }
  function noteTalk() {
    const current = document.querySelector(".history [aria-current]")?.dataset.id || "";
    if (document.querySelector(".history") && current !== lastTalk()) {
      try { sessionStorage.setItem("iskp-talk", current); } catch { /* private window */ }
    }
  }

  function choose(card) {
    const folded = card.closest("details");
    if (folded) folded.open = true;
    document.querySelectorAll(".evidence .chosen").forEach((c) => c.classList.remove("chosen"));
    card.classList.add("chosen");
    chosen = card.id;
    const pane = document.getElementById("evidence-pane"), mark = card.querySelector("mark");
    reveal(pane, card, mark);
    card.focus({ preventScroll: true });
  }

  // Brings a part into view without moving what does not have to move: in its pane where that scrolls, else in the page.
  function reveal(pane, part, mark = null, top = false) {
    const own = getComputedStyle(pane).overflowY === "auto";
    const box = own ? pane.getBoundingClientRect() : { top: 0, bottom: innerHeight, height: innerHeight };
    const move = (by) => (own ? pane.scrollBy(0, by) : window.scrollBy(0, by));
    const at = part.getBoundingClientRect();
    if (top || at.top < box.top || at.bottom > box.bottom) move(at.top - box.top - 8);
    const words = mark?.getBoundingClientRect();
    // A long passage: the quoted words count, not its beginning.
    if (words && words.bottom > box.bottom) move(words.top - box.top - box.height / 3);
  }

  function follow(link) {
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

  async function copy(button) {
    const text = button.dataset.copy;
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
    say("Copied with citations.");
    const label = button.textContent;
    button.textContent = "Copied";
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
    const { name, type, text } = JSON.parse(file);
    download(name, type, text);
  }

  // Asks before something is gone for good; a refusal stops the event.
  function sure(question, ...data) {
    if (!confirm(question)) throw new Error("not confirmed");
    return data;
  }

  function sortBy(button) {
    const table = button.closest("table"), head = button.closest("th"), column = Number(button.dataset.sort);
    const up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => (up ? 1 : -1) * order.compare(a.cells[column].textContent.trim(), b.cells[column].textContent.trim()));
    table.tBodies[0].append(...rows);
  }

  function filter(input) {
    const sheet = input.closest("[data-sheet]");
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of sheet.querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((w) => text.includes(w));
      if (!row.hidden) shown += 1;
    }
    const count = sheet.querySelector("[data-count]");
    count.textContent = `${shown} ${count.textContent.trim().split(" ").slice(1).join(" ")}`;
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
    const chosen = [...document.querySelectorAll('[role="tab"]')].find((t) => t.textContent.trim() === tab);
    if (chosen?.getAttribute("aria-selected") !== "true") chosen?.click();
    await mounted(id);
  }

  async function act(button) {
    if (button.dataset.sure && !confirm(button.dataset.sure)) return;
    const { act: name, sure, ...data } = button.dataset;
    if (name === "open") { pending = `turn:${data.turn}`; arrive(); if (!pending) return; }
    if (name === "read") { await goTo("Sources", "reading"); pending = "reading"; }
    if (name === "addsource") await goTo("Sources", "source-table");
    trigger(name, data);
    if (name === "edit" || name === "reword" || name === "ask") focusQuestion();
  }

  function allRows(button) {
    const open = button.getAttribute("aria-expanded") !== "true", other = button.dataset.other;
    button.closest(".answer").querySelectorAll("table.differences").forEach((table) => {
      if (table.parentElement.nextElementSibling?.contains(button)) table.classList.toggle("short-of-all", !open);
    });
    button.setAttribute("aria-expanded", String(open));
    button.dataset.other = button.textContent;
    button.textContent = other;
  }

  function focusQuestion() { document.querySelector("#question textarea")?.focus(); }

  function rename(button) {
    const title = prompt("New name for this conversation", button.dataset.title);
    if (title && title.trim()) trigger("rename", { id: button.dataset.rename, title: title.trim() });
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("a.cite, [data-act], [data-copy], [data-sort], [data-back], [data-rename], [data-all-rows], #new, #flip");
    if (!target) return;
    if (target.matches("a.cite")) { event.preventDefault(); hideTip(); follow(target); }
    else if (target.dataset.act) act(target);
    else if (target.dataset.copy) copy(target);
    else if (target.dataset.sort) sortBy(target);
    else if (target.dataset.rename) rename(target);
    else if (target.dataset.back) goBack(target.dataset.back);
    else if ("allRows" in target.dataset) allRows(target);
    else if (target.id === "new") focusQuestion();
    else if (target.id === "flip") flip();
  });
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-find]")) filter(event.target); });
  document.addEventListener("mouseover", (event) => {
    const link = event.target.closest?.("a.cite");
    if (link) showTip(link);
  });
  document.addEventListener("mouseout", (event) => { if (event.target.closest?.("a.cite")) hideTip(); });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("a.cite:focus-visible")) showTip(event.target); else hideTip();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hideTip();
      const card = event.target.closest?.(".evidence .card");
      if (card?.id) goBack(card.id);
    }
    if (event.key === "/" && !event.target.matches("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      focusQuestion();
    }
  });

  function goBack(id) {
    const link = cameFrom?.isConnected && cameFrom.getAttribute("href") === `#${id}` ? cameFrom
      : document.querySelector(`.thread a.cite[href="#${CSS.escape(id)}"]`);
    if (!link) return;
    const folded = link.closest(".short-of-all .beyond")?.closest(".scroll").nextElementSibling?.querySelector("[data-all-rows]");
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

  // What waits for the server's HTML: a card, the pane, the source that is read.
  function arrive() {
    if (!pending) return;
    if (pending.startsWith("turn:")) {
      const pane = document.querySelector(`.evidence[data-turn="${CSS.escape(pending.slice(5))}"]`);
      if (pane) { pending = null; choose(pane.querySelector(".card") || pane); }
    } else if (pending === "reading") {
      const text = document.querySelector("#reading .reading");
      if (!text || !text.offsetParent) return;
      const mark = document.getElementById("reading-focus") || text.querySelector("mark"), pane = document.getElementById("reading");
      text.focus({ preventScroll: true });
      pane.scrollTop = 0;
      reveal(pane, mark || text);
      mark?.scrollIntoView({ block: "nearest" }); // the pane itself may begin low in the window
      pending = null;
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
    if (last && more) reveal(pane, last, null, true);
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
      if (chosen && !document.querySelector(".evidence .chosen")) document.getElementById(chosen)?.classList.add("chosen");
      if (greeted) noteTalk();
      document.querySelectorAll(".js-plotly-plot").forEach(pointed);
      tidyUp();
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Names that the framework's components lack for screen readers.
  function tidyUp() {
    dark();
    document.documentElement.lang ||= "en";
    document.querySelector("#bridge")?.setAttribute("aria-hidden", "true");
    // Right-to-left scripts are typed and read from their side.
    for (const box of document.querySelectorAll("textarea:not([dir=auto])")) box.dir = "auto";
  }

  addEventListener("DOMContentLoaded", () => {
    dark();
    new MutationObserver(dark).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });

  const greet = () => [owner(), lastTalk(), null];
  const welcomed = () => { greeted = true; document.documentElement.dataset.greeted = "yes"; return []; };

  return { greet, welcomed, connect, owner, lastTalk, mounted, isDark, save, sure, download, say, focusQuestion };
})();
