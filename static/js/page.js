// What the pages need beyond htmx: above all come back quickly when the live line breaks, and say so meanwhile.
(function () {
  "use strict";

  const QUIET = 8000; // ms; the station speaks every 2 s, the server says so when it does not
  const NOT_OPEN = [4401, 4403]; // webui.accounts.guard: logged out, or no longer for this person
  const RETRIED_BY_HTMX = [1006, 1011, 1012, 1013];

  const lost = document.getElementById("line-lost");
  const unreachable = document.getElementById("unreachable");
  let line = null; // htmx's wrapper around the socket
  let socket = null;
  let heard = 0;

  // htmx's own back-off reaches a minute; on a local network a few seconds are enough.
  htmx.config.wsReconnectDelay = (retry) => Math.min(5000, 500 * 2 ** Math.min(retry, 4)) * (0.5 + Math.random() / 2);

  function show(element, visible) {
    if (element) {
      element.hidden = !visible;
    }
  }

  function renew() {
    const wrapper = line;
    line = null; // its close event is ours and asks for nothing
    socket = null;
    if (wrapper) {
      wrapper.reconnect();
    }
  }

  document.addEventListener("htmx:wsOpen", (event) => {
    line = event.detail.socketWrapper;
    socket = event.detail.event.target;
    heard = Date.now();
    // The server answers with what differs from what is on the page already.
    const have = {};
    document.querySelectorAll("[data-mark]").forEach((piece) => (have[piece.id] = piece.dataset.mark));
    line.sendImmediately(JSON.stringify({ have }));
  });

  document.addEventListener("htmx:wsAfterMessage", () => {
    heard = Date.now();
    show(lost, false);
  });

  document.addEventListener("htmx:wsClose", (event) => {
    const closed = event.detail.event;
    if (NOT_OPEN.includes(closed.code)) {
      window.location.reload();
      return;
    }
    show(lost, true);
    if (closed.target === socket && !RETRIED_BY_HTMX.includes(closed.code)) {
      setTimeout(renew, 1000);
    }
  });

  // A line that is cut without a word (a phone that left the network) looks open for minutes.
  setInterval(() => {
    if (line && Date.now() - heard > QUIET) {
      show(lost, true);
      renew();
    }
  }, 1000);

  // "More" closes as a menu does.
  const more = document.querySelector(".more");
  if (more) {
    document.addEventListener("click", (event) => more.contains(event.target) || (more.open = false));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && more.open) {
        more.open = false;
        more.querySelector("summary").focus();
      }
    });
  }

  // On a phone a group has more tabs than fit; the one that is open is to be seen.
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) {
    tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button && navigator.clipboard) { // over plain HTTP there is none; a click on the text selects all of it
      const text = document.getElementById(button.dataset.copy).textContent.trim();
      navigator.clipboard.writeText(text).then(() => (button.textContent = button.dataset.copied));
    }
  });

  document.addEventListener("htmx:sendError", () => show(unreachable, true));
  document.addEventListener("htmx:timeout", () => show(unreachable, true));
  document.addEventListener("htmx:beforeOnLoad", () => show(unreachable, false));
})();
