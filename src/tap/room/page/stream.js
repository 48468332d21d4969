// Events from tap. The browser itself comes back after a break, and says which event it read last;
// tap then goes on from there, or sends a `reset` with everything.

export function readEvents(handlers) {
  const source = new EventSource("/events");
  for (const [kind, handle] of Object.entries(handlers)) {
    if (kind === "lost") continue;
    source.addEventListener(kind, (event) => {
      handle(JSON.parse(event.data));
      if (kind === "over") {
        // A display on the wall waits for the next session.
        source.close();
        setTimeout(() => readEvents(handlers), 5000);
      }
    });
  }
  source.addEventListener("error", () => {
    handlers.lost();
    // After some answers a browser gives up for good: then a new source begins afresh.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => readEvents(handlers), 2000);
  });
}
