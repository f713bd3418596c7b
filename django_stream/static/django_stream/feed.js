/* Older entries when one scrolls down, and a button when there is something new. Feeds work without it.
   <script src="{% static 'django_stream/feed.js' %}" defer></script> */
"use strict";
(() => {
  const entries = (feed) => [...feed.querySelectorAll(":scope > [role=feed] > [data-stream-entry]")];
  const idOf = (entry) => entry.dataset.streamEntry;
  const groupOf = (entry) => entry.dataset.streamGroup;

  /* Seconds: told of news, a page waits from so long to so long, looks so far apart, and gives up a silent
     connection. <html data-stream-pause="1 3 5 30"> */
  const [soonest, latest, apart, patience] = (document.documentElement.dataset.streamPause ?? "1 3 5 30")
    .split(" ").map(Number);
  const BACKGROUND = { "X-Stream-Background": "look" };
  const ours = () => ({ credentials: "same-origin", signal: AbortSignal.timeout(patience * 1000) });

  /* A page of this site. Nothing of it counts as seen where nobody looks at it: the header says so. */
  async function read(url, inBackground) {
    const headers = { "X-Requested-With": "fetch", ...(inBackground && BACKGROUND) };
    const answer = await fetch(url, { headers, ...ours() });
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  /* What stands for a feed or a part of this page in another one: of several by the same name, that in its place. */
  function twin(page, one, kind) {
    const attribute = `data-stream-${kind}`;
    const name = one.getAttribute(attribute);
    const among = (all) => [...all.querySelectorAll(`[${attribute}]`)].filter((it) => it.getAttribute(attribute) === name);
    return among(page)[among(document).indexOf(one)];
  }
  const feedIn = (page, feed) => twin(page, feed, "feed");

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
    // All are looked for before the first one is moved here.
    const pairs = [...document.querySelectorAll("[data-stream-part]")].map((part) => [part, twin(page, part, "part")]);
    for (const [part, fresh] of pairs) {
      // Parts inside of parts have gone with them, and what somebody is using stays.
      if (fresh && part.isConnected && !part.contains(document.activeElement)) {
        part.replaceWith(document.adoptNode(fresh));
      }
    }
  }

  /* Where nothing but badges is kept up to date, their number tells whether the page has to be read. */
  async function isOld() {
    const badge = document.querySelector("[data-stream-source]");
    const rest = "[data-stream-feed][data-stream-poll], [data-stream-part]:not([data-stream-source])";
    if (!badge || document.querySelector(rest)) return true;
    return hasAnotherNumber(badge);
  }

  /* What an address of the site's answers, undefined where it refuses. */
  async function saidBy(url) {
    const answer = await fetch(url, { headers: { Accept: "application/json", ...BACKGROUND }, ...ours() });
    return answer.ok ? answer.json() : undefined;
  }

  const hasAnotherNumber = async ({ dataset }) =>
    (await saidBy(dataset.streamSource))?.unseen !== Number(dataset.streamCount);

  /* What came after the page was made and before it listened: each newest entry is asked for once. */
  async function isBehind(live) {
    const { newest } = JSON.parse(live.dataset.streamLive);
    if (live.dataset.streamSource) return hasAnotherNumber(live);
    if (!newest || !live.dataset.streamFeed) return true;
    const answer = await saidBy(newest);
    const [first] = entries(live);
    return !answer || answer.results[0]?.id !== (first && idOf(first));
  }

  function take(page) {
    const feeds = [...document.querySelectorAll("[data-stream-feed][data-stream-poll]")];
    for (const [feed, found] of feeds.map((one) => [one, feedIn(page, one)])) if (found) offer(feed, found);
    renew(page);
  }

  let looking = false;
  let lookedAt = -Infinity;
  let timer;
  let after; // what comes once a look is over, or the page is not hidden any more

  function goOn() {
    const next = after;
    after = undefined;
    next?.();
  }

  /* News come in bursts, and to all browsers at once: each waits a little, and longer after the last look. */
  function told() {
    if (looking || document.hidden) {
      after ??= told;
      return;
    }
    const passed = (performance.now() - lookedAt) / 1000;
    const pause = Math.max(soonest + Math.random() * (latest - soonest), apart - passed);
    timer ??= setTimeout(look, pause * 1000);
  }

  /* One look is for all feeds of the page. */
  async function look() {
    clearTimeout(timer);
    timer = undefined;
    if (looking || document.hidden) {
      after = look;
      return;
    }
    looking = true;
    try {
      if (await isOld()) take(await read(location.href, true));
    } catch (error) {
      console.warn(error);
    } finally {
      looking = false;
      lookedAt = performance.now();
      goOn();
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden || goOn());

  /* A page that was read ahead has marked nothing as seen. Now somebody looks at it. */
  const seeIt = () => document.querySelector("[data-stream-feed]") && read(location.href).then(take).catch(console.warn);
  const [way] = performance.getEntriesByType("navigation");
  if (document.prerendering) document.addEventListener("prerenderingchange", seeIt, { once: true });
  else if (way?.activationStart > 0 || way?.deliveryType === "navigational-prefetch") seeIt();

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
  async function post(url, body, { line = new AbortController(), headers, ...rest } = {}) {
    const silence = setTimeout(() => line.abort(), patience * 1000); // a dead connection says nothing
    try {
      const answer = await fetch(url, {
        method: "POST", body: JSON.stringify(body), credentials: "same-origin", signal: line.signal,
        headers: { "Content-Type": "application/json", ...headers }, ...rest,
      });
      // Nobody is signed in any more, or there are no App Streams here.
      const final = [401, 403, 404].includes(answer.status);
      if (!answer.ok) throw Object.assign(new Error(`${answer.status} ${url}`), { final });
      return await answer.json();
    } finally {
      clearTimeout(silence);
    }
  }

  const lives = () => [...document.body.querySelectorAll("[data-stream-live]")].filter((one) => one.dataset.streamLive);

  const state = document.documentElement.dataset; // streamLive is "on" while all news come by themselves

  async function subscribe(send, { clientId, key, app, signature }, feeds) {
    let refused = 0; // such as a feed that is only read through the site: the page looks now and then
    for (const feed of feeds) {
      const packed = feed.replace(":", "");
      const ext = { user_id: packed, api_key: key, signature };
      const subscription = `/site-${app}-feed-${packed}`;
      const { successful, error } = await send({ channel: "/meta/subscribe", clientId, subscription, ext });
      if (!successful && !/^40[34]:/.test(error)) throw new Error(error);
      refused += !successful;
    }
    if (refused === feeds.size) throw Object.assign(new Error("no feed can be listened to"), { final: true });
    if (!refused) state.streamLive = "on";
  }

  /* A session of a page that somebody looks at: browsers open few connections to a site for all of its tabs. */
  async function listen({ faye, token, csrf, key, app }, feeds, missed) {
    const line = new AbortController();
    const send = async (message) => (await post(faye, [message], { line }))[0];
    let clientId;
    const leave = () => {
      line.abort();
      if (clientId) post(faye, [{ channel: "/meta/disconnect", clientId }], { keepalive: true }).catch(() => {});
    };
    document.addEventListener("visibilitychange", leave);
    try {
      const access = await post(token, {}, { line, headers: { "X-CSRFToken": csrf } });
      const supportedConnectionTypes = ["long-polling"];
      const hello = await send({ channel: "/meta/handshake", version: "1.0", supportedConnectionTypes });
      if (!hello.successful) throw new Error(hello.error);
      ({ clientId } = hello);
      await subscribe(send, { clientId, key, app, signature: access.token }, feeds);
      if (missed) told(); // what came in between
      else Promise.all(lives().map(isBehind)).then((all) => all.some(Boolean) && told(), told);
      for (;;) {
        const connect = { channel: "/meta/connect", clientId, connectionType: "long-polling" };
        const answers = await post(faye, [connect], { line });
        if (answers.some((one) => !one.channel.startsWith("/meta/"))) told();
        if (!answers.find((one) => one.channel === "/meta/connect")?.successful) return;
      }
    } finally {
      document.removeEventListener("visibilitychange", leave);
      delete state.streamLive;
    }
  }

  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
  const visible = () =>
    document.hidden && new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));

  async function live(place, feeds) {
    let missed = document.hidden;
    for (let pause = 1; ; pause = Math.min(pause * 2, 60)) {
      await visible();
      const began = performance.now();
      try {
        await listen(place, feeds, missed);
      } catch (error) {
        if (error.final) return; // the page looks now and then
      }
      missed = true;
      if (document.hidden) pause = 0.5; // nothing has failed
      else {
        if (performance.now() - began > 60000) pause = 1;
        await wait(pause * (1 + Math.random())); // not all browsers at once, after a restart
      }
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
  const places = lives().map((one) => JSON.parse(one.dataset.streamLive));
  if (places.length) live(places[0], new Set(places.map((one) => one.feed)));
})();
