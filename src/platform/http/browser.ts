/**
 * Browser and main version of a User-Agent, all that is kept of it: `Firefox 141`. Null for what names none of the four,
 * such as a program that calls the API.
 */
export function browserOf(agent: string | undefined): string | null {
  if (agent === undefined) return null;
  const text = agent.slice(0, 512);
  for (const [name, pattern] of patterns) {
    const version = pattern.exec(text)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return null;
}

/** In this order: Edge says that it is Chrome, and Chrome that it is Safari. */
const patterns = [
  ['Edge', /\bEdg(?:A|iOS)?\/(\d{1,4})/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d{1,4})/],
  ['Chrome', /\b(?:Chrome|CriOS)\/(\d{1,4})/],
  ['Safari', /\bVersion\/(\d{1,4})\S* .*Safari\//],
] as const;
