/* What is nicer with JavaScript: likes without a new page. The site works without, and news are the feeds' own. */
"use strict";
(() => {
  const parse = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

  /* A like posts its form as ever, and takes only the new button from the page that comes back. */
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-in-place]");
    if (!form) return;
    event.preventDefault();
    const body = new FormData(form);
    body.set("next", form.dataset.inPlace); // the post's own page has the button, however long the feed is
    try {
      const page = await parse(await fetch(form.action, { method: "POST", body, credentials: "same-origin" }));
      const fresh = [...page.forms].find((one) => one.action === form.action);
      fresh.querySelector("[name=next]").value = form.querySelector("[name=next]").value;
      const focused = form.contains(document.activeElement);
      form.replaceWith(document.adoptNode(fresh));
      if (focused) fresh.querySelector("button").focus();
    } catch {
      form.submit();
    }
  });
})();
