/* Older entries when one scrolls down, and a button when there is something new. Feeds work without it.
   <script src="{% static 'django_stream/feed.js' %}" defer></script> */
"use strict";
(() => {
  const entries = (feed) => [...feed.querySelectorAll(":scope > [role=feed] > [data-stream-entry]")];
  const idOf = (entry) => entry.dataset.streamEntry;
  const groupOf = (entry) => entry.dataset.streamGroup;

  /* A page of this site. Nothing of it counts as seen where nobody looks at it: the header says so. */
  async function read(url, inBackground) {
    const headers = { "X-Requested-With": "fetch", ...(inBackground && { "X-Stream-Background": "look" }) };
    const answer = await fetch(url, { headers, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  const named = (page, name, kind) =>
    [...page.querySelectorAll(`[data-stream-${kind}]`)].find((one) => one.getAttribute(`data-stream-${kind}`) === name);
  const feedIn = (page, feed) => named(page, feed.dataset.streamFeed, "feed");

  function number(feed) {
    const more = feed.querySelector(":scope > .stream-more");
    const all = entries(feed);
    feed.querySelector(":scope > [role=feed]").hidden = all.length === 0; // a list without entries is none
    all.forEach((entry, index) => {
      entry.setAttribute("aria-posinset", index + 1);
      entry.setAttribute("aria-setsize", more ? -1 : all.length);
    });
  }

  async function older(feed, link) {
    const list = feed.querySelector(":scope > [role=feed]");
    if (list.getAttribute("aria-busy") === "true") return;
    list.setAttribute("aria-busy", "true");
    try {
      const page = feedIn(await read(link.href), feed);
      const known = new Set(entries(feed).map(idOf));
      list.append(...entries(page).filter((entry) => !known.has(idOf(entry))).map((one) => document.adoptNode(one)));
      const next = page.querySelector(":scope > .stream-more");
      link.closest(".stream-more").remove();
      if (next) feed.append(document.adoptNode(next));
      number(feed);
      watch(feed);
    } catch (error) {
      observer.unobserve(link); // what remains is a link like any other
      console.warn(error);
    } finally {
      list.setAttribute("aria-busy", "false");
    }
  }

  const observer = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (isIntersecting) older(target.closest("[data-stream-feed]"), target);
    }
  }, { rootMargin: "400px" });

  function watch(feed) {
    const link = feed.querySelector(":scope > .stream-more [data-stream-next]");
    if (link && !window.htmx) observer.observe(link);
  }

  function offer(feed, page) {
    const known = new Set(entries(feed).map(idOf));
    // What stands below the first known entry has moved up because others are gone, and is not new.
    const all = entries(page);
    const first = all.findIndex((entry) => known.has(idOf(entry)));
    const fresh = first < 0 ? all : all.slice(0, first);
    const button = feed.querySelector(":scope [data-stream-new]");
    button.hidden = fresh.length === 0;
    button.textContent = `${button.dataset.streamNew} (${fresh.length})`;
    button.onclick = () => {
      // A group has another id with each activity that joins it: the old entry makes room for the new one.
      const moved = new Set(fresh.map(groupOf).filter(Boolean));
      for (const entry of entries(feed)) if (moved.has(groupOf(entry))) entry.remove();
      feed.querySelector(":scope > [role=feed]").prepend(...fresh.map((one) => document.adoptNode(one)));
      feed.querySelector(":scope > .stream-empty")?.remove();
      button.hidden = true;
      number(feed);
      entries(feed)[0].focus();
      read(location.href).then(renew).catch(console.warn); // now somebody looks at them
    };
  }

  /* Badges and whatever else the page calls a part: <nav data-stream-part="nav">. */
  function renew(page) {
    for (const part of document.querySelectorAll("[data-stream-part]")) {
      const fresh = named(page, part.dataset.streamPart, "part");
      // Parts inside of parts have gone with them, and what somebody is using stays.
      if (fresh && part.isConnected && !part.contains(document.activeElement)) {
        part.replaceWith(document.adoptNode(fresh));
      }
    }
  }

  let looking = false;
  let again = false;

  /* One look is for all feeds of the page. What is told meanwhile, or while the page is hidden, is looked at after. */
  async function look() {
    again = true;
    if (looking || document.hidden) return;
    looking = true;
    try {
      while (again && !document.hidden) {
        again = false;
        const page = await read(location.href, true);
        for (const feed of document.querySelectorAll("[data-stream-feed][data-stream-poll]")) {
          const found = feedIn(page, feed);
          if (found) offer(feed, found);
        }
        renew(page);
      }
    } catch (error) {
      console.warn(error);
    } finally {
      looking = false;
    }
  }

  document.addEventListener("visibilitychange", () => again && look());

  document.addEventListener("keydown", (event) => {
    const entry = event.target.closest?.("[data-stream-entry]");
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    if (!entry || !step) return;
    const all = entries(entry.closest("[data-stream-feed]"));
    const next = all[all.indexOf(entry) + step];
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });

  /* App Streams tell what is new: Bayeux by long polling, in the small, for all feeds of the page at once. */
  async function post(url, body, headers = {}) {
    const answer = await fetch(url, {
      method: "POST", body: JSON.stringify(body), credentials: "same-origin",
      headers: { "Content-Type": "application/json", ...headers },
    });
    if (!answer.ok) throw Object.assign(new Error(`${answer.status} ${url}`), { status: answer.status });
    return answer.json();
  }

  const state = document.documentElement.dataset; // streamLive is "on" while all news come by themselves

  async function session({ faye, token, csrf, key, app }, feeds) {
    const access = await post(token, {}, { "X-CSRFToken": csrf });
    const hello = { channel: "/meta/handshake", version: "1.0", supportedConnectionTypes: ["long-polling"] };
    const [{ clientId }] = await post(faye, [hello]);
    let refused = 0; // such as a feed that is only read through the site: the page looks now and then
    for (const feed of feeds) {
      const packed = feed.replace(":", "");
      const ext = { user_id: packed, api_key: key, signature: access.token };
      const subscription = `/site-${app}-feed-${packed}`;
      const [answer] = await post(faye, [{ channel: "/meta/subscribe", clientId, subscription, ext }]);
      refused += !answer.successful;
    }
    if (refused === feeds.size) throw Object.assign(new Error("no feed can be listened to"), { status: 403 });
    if (!refused) state.streamLive = "on";
    return clientId;
  }

  async function listen(live, feeds) {
    const clientId = await session(live, feeds);
    for (;;) {
      const answers = await post(live.faye, [{ channel: "/meta/connect", clientId, connectionType: "long-polling" }]);
      if (answers.some((one) => !one.channel.startsWith("/meta/"))) look();
      if (!answers.find((one) => one.channel === "/meta/connect")?.successful) return;
    }
  }

  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

  async function live(first, feeds) {
    for (let pause = 1; ; pause = Math.min(pause * 2, 60)) {
      const began = performance.now();
      try {
        await listen(first, feeds);
      } catch (error) {
        // Nobody is signed in any more, or there are no App Streams here: the page looks now and then.
        if (error.status >= 400 && error.status < 500 && error.status !== 429) return;
      } finally {
        delete state.streamLive;
      }
      if (performance.now() - began > 60000) pause = 1;
      await wait(pause * (1 + Math.random())); // not all browsers at once, after a restart
      look(); // for what came in between
    }
  }

  for (const feed of document.querySelectorAll("[data-stream-feed]")) {
    watch(feed);
    // Whoever hears of news by other ways, such as an EventSource, tells: feed.dispatchEvent(new Event("stream:look")).
    if (feed.dataset.streamPoll) feed.addEventListener("stream:look", look);
  }
  const polls = [...document.querySelectorAll("[data-stream-poll]")].map((one) => Number(one.dataset.streamPoll));
  const seconds = Math.min(...polls.filter((one) => one > 0));
  if (seconds < Infinity) setInterval(() => state.streamLive || look(), seconds * 1000);
  const places = [...document.querySelectorAll("[data-stream-live]")]
    .filter((one) => one.dataset.streamLive).map((one) => JSON.parse(one.dataset.streamLive));
  if (places.length) live(places[0], new Set(places.map((one) => one.feed)));
})();
