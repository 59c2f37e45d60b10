import { existsSync } from 'node:fs';
import { type Browser, type BrowserType, firefox, webkit } from 'playwright-core';

export interface Engine {
  name: string;
  launch: () => Promise<Browser>;
}

/**
 * The engines beside Chromium that this machine has, and the names of those it has not. Playwright drives builds of
 * its own of both, so the browsers of a distribution do not count.
 */
export const otherEngines = (): { installed: Engine[]; missing: string[] } => {
  const engines = [
    { name: 'Firefox', type: firefox, path: pathOf(firefox, 'FAIRLEAD_FIREFOX') },
    { name: 'WebKit', type: webkit, path: pathOf(webkit, 'FAIRLEAD_WEBKIT') },
  ];
  return {
    installed: engines
      .filter(({ path }) => existsSync(path))
      .map(({ name, type, path }) => ({ name, launch: () => type.launch({ executablePath: path, headless: true }) })),
    missing: engines.filter(({ path }) => !existsSync(path)).map(({ name }) => name),
  };
};

const pathOf = (type: BrowserType, variable: string): string => {
  const named = process.env[variable];
  if (named) return named;
  try {
    return type.executablePath();
  } catch {
    // Playwright has no build for this system.
    return '';
  }
};
