// A firmware image in pieces, so that neither browser nor station holds all of it, and a broken line loses nothing.
(function () {
  "use strict";

  const form = document.querySelector("form[data-upload]");
  if (!form) {
    return;
  }
  const bar = form.querySelector("progress");
  const says = form.querySelector("[data-says]");
  const button = form.querySelector("button[type=submit]");
  const key = form.elements.upload_id;
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  let latest = 0;

  async function ask(url, body) {
    const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
    const answer = await fetch(url, { method: "POST", body, headers });
    return { status: answer.status, ...(await answer.json().catch(() => ({}))) };
  }

  function tell(text, wrong) {
    says.textContent = text;
    says.className = wrong ? "field-error" : "hint";
  }

  async function send(image, mine) {
    let told = await ask(form.dataset.upload, new URLSearchParams({ size: image.size }));
    let losses = 0;
    while (told.status < 300 || told.status === 409) {
      if (told.error || mine !== latest) {
        break;
      }
      const at = told.at;
      bar.value = (100 * at) / image.size;
      tell(`${Math.floor(bar.value)} %`, false);
      if (at >= image.size) {
        key.value = told.id;
        tell(form.dataset.here, false);
        return;
      }
      try {
        told = await ask(`${form.dataset.upload}${told.id}/?at=${at}`, image.slice(at, at + told.piece));
        losses = 0;
      } catch (lost) {
        losses += 1;
        if (losses > 60) {
          break;
        }
        tell(form.dataset.lost, false);
        await pause(1000);
      }
    }
    if (mine === latest) {
      bar.hidden = true;
      tell(told.error || form.dataset.failed, true);
    }
  }

  form.querySelector("[data-image]").addEventListener("change", async (event) => {
    const image = event.target.files[0];
    latest += 1;
    const mine = latest;
    key.value = "";
    if (!image) {
      return;
    }
    bar.hidden = false;
    bar.value = 0;
    button.disabled = true;
    await send(image, mine).catch(() => tell(form.dataset.failed, true));
    if (mine === latest) {
      button.disabled = false;
    }
  });
})();
