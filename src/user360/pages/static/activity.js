// A choice is shown at once; the button is for those without a script.

const form = document.querySelector("[data-filter]");
form.querySelector("button").hidden = true;
form.addEventListener("change", () => form.requestSubmit());
