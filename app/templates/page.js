// A click or Enter on a citation number scrolls the evidence pane to its card and marks it.
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest('a[href^="#cite-"]');
  if (!link) return;
  event.preventDefault();
  const card = document.getElementById(link.getAttribute("href").slice(1));
  if (!card) return;
  document.querySelectorAll(".evidence .chosen").forEach((c) => c.classList.remove("chosen"));
  card.classList.add("chosen");
  card.scrollIntoView({ block: "nearest" });
  card.focus({ preventScroll: true });
});
