// What every page has: local times, and the states that wait for something.
import { fetchPage } from "./swap";
import { titleTimes } from "./times";

titleTimes(document);

const waiting = document.querySelector<HTMLElement>("[data-refresh]");
if (waiting) setTimeout(look, seconds(waiting));

function seconds(element: HTMLElement): number {
  return Number(element.dataset["refresh"]) * 1000;
}

// look asks for this page until it has something to show, and only then loads it anew:
// someone who reads the waiting page is not disturbed.
async function look(): Promise<void> {
  const page = await fetchPage(location.href).catch(() => null);
  const still = page ? page.querySelector<HTMLElement>("[data-refresh]") : waiting;
  if (still) setTimeout(look, seconds(still));
  else location.reload();
}
