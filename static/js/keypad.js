// The keys of the key pad; without scripts the field alone does.
(function () {
  "use strict";

  const form = document.getElementById("keypad");
  const code = document.getElementById("keypad-code");
  if (!form || !code) {
    return;
  }
  const keys = form.querySelector(".keypad-keys");
  keys.hidden = false;
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key && code.value.length < code.maxLength) {
      code.value += key.dataset.key;
    }
  });
  // A code does not stay on the screen for whoever comes next.
  form.addEventListener("htmx:afterRequest", () => {
    code.value = "";
  });
})();
