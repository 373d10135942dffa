// What the builder does in the browser: countries are kept by codes, and known by their names.

const regions = new Intl.DisplayNames(["en"], { type: "region" });

function nameOf(code) {
  try {
    return /^[A-Z]{2}$/.test(code) ? regions.of(code) : null;
  } catch {
    return null;
  }
}

function options(field) {
  return [...(field.list?.options || [])];
}

// The names beside the codes that are suggested, so that either can be typed.
document.addEventListener("htmx:after:swap", () => {
  for (const field of document.querySelectorAll("[data-property=country]")) {
    for (const option of options(field)) option.label = nameOf(option.value) || option.value;
  }
});

// Whoever writes the name of a country that is there by its code means that code.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.dataset.property !== "country") return;
  const written = field.value.trim().toLowerCase();
  const meant = options(field).find((option) => option.label.toLowerCase() === written && option.value.toLowerCase() !== written);
  if (!meant) return;
  field.value = meant.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// The builder is asked one thing after the other, each with the form as it is at that moment. What
// was written while an answer was on its way must not be overwritten by it, so it is asked again.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.request.action !== "/builder") return;
  const { form } = ctx.request;
  const written = () => new URLSearchParams(new FormData(form)).toString();
  ctx.fetch = async (action, request) => {
    for (;;) {
      const sent = written();
      const body = new URLSearchParams(sent);
      for (const [name, value] of Object.entries(ctx.vals || {})) body.set(name, value);
      const answer = await fetch(action, { ...request, body });
      if (written() === sent) return answer;
    }
  };
});
