// "Try it" on the API's page: sends what the form says as the person who is logged in, and shows the answer.
(function () {
  "use strict";

  const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");

  async function send(form) {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    form.querySelectorAll("input[data-place]").forEach((field) => {
      if (field.dataset.place === "path") {
        path = path.replace("{" + field.name + "}", encodeURIComponent(field.value.trim()));
      } else if (field.value.trim() !== "") {
        query.set(field.name, field.value.trim());
      }
    });
    const options = { method: form.dataset.method, headers: { ...headers, Accept: "application/json" } };
    const body = form.querySelector("textarea");
    if (body) {
      options.body = body.value;
      options.headers["Content-Type"] = "application/json";
    }
    const asked = query.toString();
    const answer = await fetch(asked ? path + "?" + asked : path, options);
    return [answer.status + " " + answer.statusText, answer.ok, await answer.text()];
  }

  function pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form.try");
    if (!form) {
      return;
    }
    event.preventDefault();
    const button = form.querySelector("button");
    const shown = form.querySelector(".try-answer");
    const [chip, code] = [shown.querySelector(".chip"), shown.querySelector("code")];
    button.disabled = true;
    try {
      const [status, good, text] = await send(form);
      chip.textContent = status;
      chip.className = good ? "chip good" : "chip bad";
      code.textContent = pretty(text);
    } catch {
      document.getElementById("unreachable").hidden = false;
      chip.textContent = "–";
      chip.className = "chip bad";
      code.textContent = "";
    }
    shown.hidden = false;
    button.disabled = false;
  });
})();
