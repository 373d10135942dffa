// Following jobs: whatever shows them is asked for again each time they come on, until they end.

const MOST = 4; // a browser keeps few connections to one server
const EVERY = 400; // milliseconds between two questions
const AT_WORK = ["queued", "running"];
const followed = new Set();
const soon = new Map();

function named(element) {
  return element.dataset.jobs.split(" ").filter(Boolean);
}

function follow() {
  for (const shown of document.querySelectorAll("[data-jobs]")) {
    for (const job of named(shown)) {
      if (followed.size < MOST && !followed.has(job)) listen(job);
    }
  }
}

function listen(job) {
  const source = new EventSource(`/api/v1/jobs/${job}/stream`);
  followed.add(job);
  source.addEventListener("job", (event) => {
    if (AT_WORK.includes(JSON.parse(event.data).status)) {
      if (!soon.has(job)) soon.set(job, setTimeout(() => ask(job), EVERY));
      return;
    }
    source.close();
    followed.delete(job);
    ask(job);
  });
}

function ask(job) {
  clearTimeout(soon.get(job));
  soon.delete(job);
  for (const shown of document.querySelectorAll("[data-jobs]")) {
    if (named(shown).includes(job)) shown.dispatchEvent(new CustomEvent("job", { bubbles: true }));
  }
}

document.addEventListener("htmx:after:swap", follow);
follow();
