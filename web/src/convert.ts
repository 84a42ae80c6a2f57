import "./page";
import { swap } from "./swap";

const fields = ["amount", "from", "to", "date"];
const form = document.querySelector<HTMLFormElement>("#convert");

if (form) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pending = new AbortController();

  // The server converts; this only sends the form without leaving the page.
  const convert = async () => {
    clearTimeout(timer);
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    const url = "/convert?" + new URLSearchParams(new FormData(form) as unknown as Record<string, string>).toString();
    try {
      await swap(url, ["answer", ...fields.map((name) => `error-${name}`)], signal);
    } catch {
      // One that was overtaken by the next is no failure. After any other, a result
      // that does not belong to what is entered must not stay.
      if (!signal.aborted) document.getElementById("answer")?.replaceChildren("The rates cannot be reached just now.");
      return;
    }
    history.replaceState(null, "", url);
    markInvalid();
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void convert(), 250);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.id === "swap") exchange(form);
    void convert();
  });
}

function exchange(form: HTMLFormElement): void {
  const from = form.querySelector<HTMLSelectElement>("#from");
  const to = form.querySelector<HTMLSelectElement>("#to");
  if (from && to) [from.value, to.value] = [to.value, from.value];
}

function markInvalid(): void {
  for (const name of fields) {
    const wrong = document.getElementById(`error-${name}`)?.textContent !== "";
    document.getElementById(name)?.toggleAttribute("aria-invalid", false);
    if (wrong) document.getElementById(name)?.setAttribute("aria-invalid", "true");
  }
}
