import "./page";
import { onBars } from "./live";
import { swap } from "./swap";

const minute = 60_000;
const refresh = () => swap(location.pathname + location.search, ["state"]);

// A run that loads nothing new sends no bars, so the clock helps.
onBars(refresh);
setInterval(() => {
  if (!document.hidden) void refresh().catch(() => {});
}, minute);
