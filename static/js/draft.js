// Nothing typed is lost when the login has run out: what a form held is kept in this tab, and put back after the login
// for the same person. Never passwords, codes or files, nor longer than needed.
(function () {
  "use strict";

  const KEY = "draft";
  const KEPT_FOR = 30 * 60 * 1000; // ms
  const person = document.body.dataset.person || "";
  const waiting = document.body.dataset.draft === "wait"; // a page on the way back to the form

  function read() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY));
      return kept && Date.now() - kept.when < KEPT_FOR ? kept : null;
    } catch (_) {
      return null;
    }
  }

  function write(kept) {
    try {
      kept ? sessionStorage.setItem(KEY, JSON.stringify(kept)) : sessionStorage.removeItem(KEY);
    } catch (_) {
      // a browser that keeps nothing: then nothing is kept
    }
  }

  // A form is told from others on its page by where it leads to, and its place among those.
  const alike = (form) => [...document.forms].filter((one) => one.action === form.action);

  // With the version of what the form showed, so that a change of somebody else is noticed after the login, too.
  function typed(form) {
    const skipped = ["hidden", "password", "file", "submit", "button", "reset"];
    return [...form.elements]
      .filter((field) => field.name === "version" || (field.name && !skipped.includes(field.type)))
      .filter((field) => field.autocomplete !== "one-time-code" && field.dataset.secret === undefined)
      .map((field) =>
        field.type === "checkbox" || field.type === "radio"
          ? { name: field.name, value: field.value, checked: field.checked }
          : { name: field.name, values: field.multiple ? [...field.selectedOptions].map((o) => o.value) : [field.value] }
      );
  }

  function putBack(kept) {
    const form = [...document.forms].filter((one) => one.action === kept.action)[kept.place];
    if (!form) {
      return;
    }
    for (const was of kept.typed) {
      const fields = [...form.elements].filter((one) => one.name === was.name);
      if (was.values === undefined) {
        const box = fields.find((one) => one.value === was.value);
        box && (box.checked = was.checked);
      } else if (fields[0] && fields[0].multiple) {
        [...fields[0].options].forEach((option) => (option.selected = was.values.includes(option.value)));
      } else if (fields[0] && fields[0].type !== "file" && fields[0].type !== "password") {
        fields[0].value = was.values[0];
      }
    }
    for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
    document.getElementById("typed-again").hidden = false;
    form.scrollIntoView({ block: "center" });
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const held = person && form.method === "post" ? typed(form) : [];
      if (held.length) {
        const place = alike(form).indexOf(form);
        write({ person, at: location.pathname, action: form.action, place, typed: held, when: Date.now(), asked: false });
      }
    },
    true
  );

  // With htmx the page stays, and what was typed with it, unless it goes to the login or has grown old.
  document.addEventListener("htmx:afterRequest", (event) => {
    const answer = event.detail.xhr;
    const kept = read();
    if (kept && answer && event.detail.requestConfig.verb === "post") {
      const old = answer.status === 403 || (answer.getResponseHeader("HX-Redirect") || "").startsWith("/login/");
      write(old ? { ...kept, asked: true } : null);
    }
  });

  const kept = read();
  if (kept && waiting) {
    write({ ...kept, asked: true });
    const said = document.getElementById("typed-kept");
    said && (said.hidden = false);
  } else if (kept && person && (kept.person !== person || !kept.asked || kept.at === location.pathname)) {
    write(null);
    if (kept.person === person && kept.asked) {
      putBack(kept);
    }
  }
})();
