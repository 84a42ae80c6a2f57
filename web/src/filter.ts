// matches reports whether each word of query is the beginning of some word in words,
// whatever their case.
export function matches(query: string, words: string): boolean {
  const have = words.toLowerCase().split(/\s+/);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((wanted) => wanted === "" || have.some((word) => word.startsWith(wanted)));
}
