/** Two words for the list of sessions. Deliberately coarse: enough to recognise one's own devices. */
export function deviceOf(agent: string | undefined): string {
  const text = agent ?? '';
  const browser = /Edg\//.test(text)
    ? 'Edge'
    : /Firefox\//.test(text)
      ? 'Firefox'
      : /Chrome\//.test(text)
        ? 'Chrome'
        : /Safari\//.test(text)
          ? 'Safari'
          : 'A program';
  const system = /Windows/.test(text)
    ? 'Windows'
    : /iPhone|iPad/.test(text)
      ? 'iOS'
      : /Mac OS X/.test(text)
        ? 'macOS'
        : /Android/.test(text)
          ? 'Android'
          : /Linux/.test(text)
            ? 'Linux'
            : 'an unknown system';
  return `${browser} on ${system}`;
}
