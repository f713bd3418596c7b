/* What is nicer with JavaScript: likes without a new page, and news while the page is open. The site works without. */
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

  /* App Streams: `/faye` tells what is new on the feeds of who is signed in. Bayeux by long polling, in the small:
     the official clients do the same by WebSocket. Where it is not served, the feeds look by themselves (`poll`). */
  const { tokenUrl, apiKey, appId } = document.body.dataset;
  const csrf = document.querySelector("[name=csrfmiddlewaretoken]")?.value;

  async function post(url, body, headers = {}) {
    const answer = await fetch(url, {
      method: "POST", body: JSON.stringify(body), credentials: "same-origin",
      headers: { "Content-Type": "application/json", ...headers },
    });
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    return answer.json();
  }

  const bayeux = (message) => post("/faye", [message]);

  async function told() {
    for (const feed of document.querySelectorAll("[data-stream-feed]")) feed.dispatchEvent(new Event("stream:look"));
    const page = await parse(await fetch(location.href, { credentials: "same-origin" }));
    const nav = page.querySelector("[data-nav]");
    if (nav) document.querySelector("[data-nav]").replaceWith(document.adoptNode(nav));
  }

  async function session() {
    const access = await post(tokenUrl, {}, { "X-CSRFToken": csrf });
    const [{ clientId }] = await bayeux({ channel: "/meta/handshake", version: "1.0", supportedConnectionTypes: ["long-polling"] });
    for (const group of ["timeline", "notification"]) {
      const subscription = `/site-${appId}-feed-${group}${access.user_id}`;
      const ext = { user_id: group + access.user_id, api_key: apiKey, signature: access.token };
      const [answer] = await bayeux({ channel: "/meta/subscribe", clientId, subscription, ext });
      if (!answer.successful) throw new Error(answer.error);
    }
    return clientId;
  }

  async function listen() {
    let clientId = await session();
    document.body.dataset.live = "on";
    for (;;) {
      const [answer, ...news] = await bayeux({ channel: "/meta/connect", clientId, connectionType: "long-polling" });
      if (news.length) await told();
      if (!answer.successful) clientId = await session();
    }
  }

  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

  async function live() {
    for (let pause = 1; ; pause = Math.min(pause * 2, 60)) {
      try {
        await listen();
      } catch (error) {
        delete document.body.dataset.live;
        if (/^404/.test(error.message)) return; // this server has no App Streams
      }
      await wait(pause);
    }
  }

  if (tokenUrl && csrf) live();
})();
