/** Cuts a list into as few parts as the limit allows, whose sizes differ by at most one. */
export function dealEvenly<Item>(items: readonly Item[], limit: number): Item[][] {
  const parts = Math.ceil(items.length / limit);
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.round((part * items.length) / parts), Math.round(((part + 1) * items.length) / parts)),
  );
}
