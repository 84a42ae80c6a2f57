import { titleTimes } from "./times";

// fetchPage gets a page of this site as a document. Scripts in it do not run.
export async function fetchPage(url: string, signal?: AbortSignal): Promise<Document> {
  const response = await fetch(url, { headers: { Accept: "text/html" }, signal: signal ?? null });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// swap puts the content of the elements with the given ids, as url has them now, in
// the place of what is shown. The elements themselves stay, so that a screen reader
// goes on announcing a live region. The notice and the title come along: numbers never
// change without what is said about them.
export async function swap(url: string, ids: string[], signal?: AbortSignal): Promise<Document> {
  const page = await fetchPage(url, signal);
  for (const id of ["notice", ...ids]) {
    const shown = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (!shown || !fresh || shown.innerHTML === fresh.innerHTML) continue;
    const focused = focusedLink(shown);
    shown.replaceChildren(...fresh.childNodes);
    titleTimes(shown);
    if (focused) shown.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
  document.title = page.title;
  return page;
}

// focusedLink is where the link leads that has the focus inside region, if one has.
function focusedLink(region: HTMLElement): string | null {
  const active = document.activeElement;
  return active && region.contains(active) ? active.getAttribute("href") : null;
}
