import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** A page in the hands of somebody who has no pointer: every stop is seen, and what has the focus is there. */
export interface Keyboard {
  press(...keys: string[]): Promise<void>;
  type(words: string): Promise<void>;
  /** By Tab, or back by Shift and Tab, to what is called so. */
  to(name: RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** There, and Enter. */
  enter(name: RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** Waits until the focus is on what is called so. */
  isOn(name: RegExp): Promise<void>;
  /** Waits until something has the focus: what was pressed may be gone by what it did. */
  isKept(): Promise<void>;
  /** The palette, with these words, and Enter. */
  palette(words: string): Promise<void>;
}

/** @param waitMs how long what is waited for may take */
export function keyboardOf(page: Page, waitMs: number): Keyboard {
  const keyboard: Keyboard = {
    async press(...keys) {
      for (const key of keys) await page.keyboard.press(key);
    },
    type: (words) => page.keyboard.type(words),
    async to(name, key = 'Tab') {
      const met: string[] = [];
      for (let stops = 0; stops < 120; stops++) {
        await page.keyboard.press(key);
        const here = await focusOf(page);
        if (!here.isStop) continue;
        expect(here, `“${here.name}” on the way to ${name}`).toMatchObject({ isRinged: true, isInView: true });
        if (name.test(here.name)) return;
        met.push(here.name.slice(0, 40));
      }
      throw new Error(`Nothing is called ${name}; met ${[...new Set(met)].join(' | ')}.`);
    },
    async enter(name, key = 'Tab') {
      await keyboard.to(name, key);
      await page.keyboard.press('Enter');
    },
    isOn: (name) => expect.poll(async () => (await focusOf(page)).name, { timeout: waitMs }).toMatch(name),
    isKept: () => expect.poll(async () => (await focusOf(page)).isLost, { timeout: waitMs }).toBe(false),
    async palette(words) {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      const input = await focusOf(page);
      expect(input, 'the field of the palette').toMatchObject({ isRinged: true, isInView: true });
      await page.keyboard.type(words);
      await page.keyboard.press('Enter');
    },
  };
  return keyboard;
}

/** What has the focus: what it is called, and whether a person can see that it has it. */
const focusOf = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement;
    const around = [element, element.closest('.in'), element.closest('.palette-in')].filter((each) => each !== null);
    const box = element.getBoundingClientRect();
    return {
      name: (element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent ?? '').trim(),
      isLost: element === (document.body as HTMLElement),
      // A part of the page holds the focus when what had it is gone; nobody comes to it by Tab.
      isStop: element.tabIndex >= 0,
      isRinged: around.some((each) => getComputedStyle(each).outlineStyle !== 'none'),
      isInView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
  });
