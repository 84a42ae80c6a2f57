const reopenAfter = 10_000; // milliseconds

// onBars calls refresh after new bars have been loaded. The stream is open only while
// the page is visible: a browser allows few connections, and hidden tabs would hold
// them all. A page that comes back, or whose stream broke, is refreshed, since it may
// have missed something.
export function onBars(refresh: () => Promise<unknown>, state: (text: string) => void = () => {}): void {
  let stream: EventSource | null = null;
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let openTimer: ReturnType<typeof setTimeout> | undefined;
  let missed = false;

  const soon = () => {
    clearTimeout(refreshTimer);
    // One run loads many payloads; one refresh after the last will do.
    refreshTimer = setTimeout(() => void refresh().catch(() => {}), 300);
  };
  const close = () => {
    clearTimeout(openTimer);
    stream?.close();
    stream = null;
    missed = true;
  };
  const open = () => {
    const opened = new EventSource("/api/v1/stream");
    stream = opened;
    opened.addEventListener("open", () => {
      state("live");
      if (missed) soon();
      missed = false;
    });
    opened.addEventListener("error", () => {
      state("reconnecting");
      missed = true;
      // A browser reconnects by itself, but not after an answer that was an error.
      if (opened.readyState === EventSource.CLOSED) openTimer = setTimeout(open, reopenAfter);
    });
    opened.addEventListener("bars", soon);
  };

  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // loaded, not brought back
    close();
    open();
  });
  if (!document.hidden) open();
}
