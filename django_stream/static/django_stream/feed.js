/* Older entries when one scrolls down, and a button when there is something new. Feeds work without it.
   <script src="{% static 'django_stream/feed.js' %}" defer></script> */
"use strict";
(() => {
  const entries = (feed) => [...feed.querySelectorAll(":scope > [role=feed] > [data-stream-entry]")];
  const idOf = (entry) => entry.dataset.streamEntry;
  const groupOf = (entry) => entry.dataset.streamGroup;

  async function read(url, feed) {
    const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const name = feed.dataset.streamFeed;
    return [...page.querySelectorAll("[data-stream-feed]")].find((one) => one.dataset.streamFeed === name);
  }

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
      const page = await read(link.href, feed);
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

  async function lookForNew(feed) {
    if (document.hidden) return;
    const page = await read(location.href, feed);
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
    };
  }

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

  const look = (feed) => lookForNew(feed).catch((error) => console.warn(error));

  for (const feed of document.querySelectorAll("[data-stream-feed]")) {
    watch(feed);
    const seconds = Number(feed.dataset.streamPoll);
    if (seconds > 0 && !new URL(location.href).searchParams.has("cursor")) {
      setInterval(look, seconds * 1000, feed);
      // Whoever hears of news by other ways, such as an EventSource, tells: feed.dispatchEvent(new Event("stream:look")).
      feed.addEventListener("stream:look", () => look(feed));
    }
  }
})();
