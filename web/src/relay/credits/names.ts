/** Names of destinations by number. */
export type Names = ReadonlyMap<number, string>;
export const nameIn = (names: Names, id: number) => names.get(id) ?? `Destination ${id}, removed`;
