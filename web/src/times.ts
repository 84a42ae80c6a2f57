// Times are written in UTC. Hovering over one shows it in the reader's own zone.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function titleTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    time.title = local.format(new Date(time.dateTime));
  }
}
