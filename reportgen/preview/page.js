"use strict";

const find = (selector) => document.querySelector(selector);
let shown = { name: "", page: -1 };
let wanted = decodeURIComponent(location.hash.slice(1));
let frame = null;
let loading = 0;

/* Where the reader is: the last heading above the top of the window, and how far below it. */
function place(view) {
  if (!view) return null;
  const headings = [...view.document.querySelectorAll("h1, h2, h3, h4")];
  const above = headings.filter((heading) => heading.getBoundingClientRect().top <= 1);
  const heading = above.at(-1);
  if (!heading) return { top: view.scrollY };
  return { top: view.scrollY, index: above.length - 1, words: heading.textContent, below: -heading.getBoundingClientRect().top };
}

function goTo(view, from, sameLanguage) {
  if (!from) return;
  const headings = [...view.document.querySelectorAll("h1, h2, h3, h4")];
  const same = sameLanguage && headings.filter((heading) => heading.textContent === from.words);
  const heading = same && same.length === 1 ? same[0] : headings[from.index];
  const top = heading ? heading.getBoundingClientRect().top + view.scrollY + from.below : from.top;
  view.scrollTo(0, top);
}

function complain(text) {
  find("#error pre").textContent = text;
  find("#error").hidden = !text;
  document.body.classList.toggle("broken", Boolean(text));
}

/* Load the page behind the one that is shown, go to the same place, and only then show it. */
async function show(name, page) {
  const turn = ++loading;
  const address = `/report/${encodeURIComponent(name)}?${page}`;
  // HEAD: a body that nobody reads would keep the connection, of which a browser has six
  const answer = await fetch(address, { method: "HEAD" });
  if (turn !== loading) return;
  if (!answer.ok) {
    complain(await (await fetch(address)).text());
    return;
  }
  const coming = document.createElement("iframe");
  coming.className = "coming";
  coming.title = "report";
  coming.addEventListener("load", async () => {
    if (turn !== loading) { coming.remove(); return; }
    await coming.contentDocument.fonts.ready;
    goTo(coming.contentWindow, place(frame && frame.contentWindow), name === shown.name);
    coming.className = "";
    if (frame) frame.remove();
    frame = coming;
    shown = { name, page };
    document.title = coming.contentDocument.title;
    document.body.dataset.version = page;
    document.body.dataset.language = name;
  });
  coming.src = address;
  find("main").append(coming);
}

function buttons(languages, page) {
  find("#languages").replaceChildren(...languages.map(({ name, label }) => {
    const button = document.createElement("button");
    button.textContent = label;
    button.setAttribute("aria-pressed", String(name === wanted));
    button.addEventListener("click", () => {
      wanted = name;
      location.hash = encodeURIComponent(name);
      buttons(languages, page);
      show(name, page);
    });
    return button;
  }));
}

const events = new EventSource("/events");
events.addEventListener("message", ({ data }) => {
  const { error, notes, languages, page } = JSON.parse(data);
  if (!languages.some(({ name }) => name === wanted) && languages.length) wanted = languages[0].name;
  complain(error);
  find("#notes").textContent = notes.join("; ");
  find("#status").textContent = error ? "cannot be written" : page ? "up to date" : "starting";
  buttons(languages, page);
  if (languages.length && (shown.page !== page || shown.name !== wanted)) show(wanted, page);
});
events.addEventListener("error", () => { find("#status").textContent = "reportgen preview has stopped"; });
